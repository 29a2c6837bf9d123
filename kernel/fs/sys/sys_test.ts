/**
 * sysfs: the machine as lscpu, nproc and numactl read it.
 * @module
 */
import { assertEquals } from "@std/assert";
import { EACCES, EPERM, isErrno } from "../../abi/errno.ts";
import { O_CREAT, O_RDONLY, O_RDWR } from "../../abi/fcntl.ts";
import { done, FakeVfs } from "../fake_vfs.ts";
import { SysType } from "./sys_file_system.ts";
import { SysRoot } from "./sys_root.ts";

/** A file tree with sysfs of a machine with three CPUs at /sys. */
function machine(): FakeVfs {
  const fake = new FakeVfs();
  const info = {
    cpuCount: 3,
    memoryBytes: 2 ** 30,
    cpuinfo: "",
    hwcap: 0,
    hwcap2: 0,
    tscHz: 0,
    vdso: new Uint8Array(),
  };
  const type = new SysType(new SysRoot(info, fake.host), {
    clock: fake.caller.clock,
    newDevice: () => fake.vfs.newDevice(),
  });
  fake.mkdir("/sys");
  const at = done(
    fake.vfs.resolve(fake.caller, fake.at, "/sys", { follow: true }),
  );
  done(fake.vfs.mount(type.create(), at, { flags: 0, source: "sysfs" }));
  at.release();
  return fake;
}

Deno.test("sys: every mount shows the same instance", () => {
  const fake = new FakeVfs();
  const info = {
    cpuCount: 1,
    memoryBytes: 0,
    cpuinfo: "",
    hwcap: 0,
    hwcap2: 0,
    tscHz: 0,
    vdso: new Uint8Array(),
  };
  const type = new SysType(new SysRoot(info, fake.host), {
    clock: fake.caller.clock,
    newDevice: () => fake.vfs.newDevice(),
  });
  assertEquals(type.create(), type.create());
});

Deno.test("sys: CPUs are cores of one package", () => {
  const fake = machine();
  const cpu = "/sys/devices/system/cpu";
  assertEquals(fake.read(`${cpu}/online`), "0-2\n");
  assertEquals(fake.read(`${cpu}/offline`), "\n");
  assertEquals(fake.read(`${cpu}/cpu2/topology/core_id`), "2\n");
  assertEquals(fake.read(`${cpu}/cpu2/topology/thread_siblings`), "4\n");
  assertEquals(fake.read(`${cpu}/cpu2/topology/thread_siblings_list`), "2\n");
  assertEquals(fake.read(`${cpu}/cpu0/topology/core_siblings`), "7\n");
  assertEquals(fake.read(`${cpu}/cpu1/node0/cpulist`), "0-2\n");
});

Deno.test("sys: node0 has all CPUs and all memory", () => {
  const fake = machine();
  const node = "/sys/devices/system/node";
  assertEquals(fake.read(`${node}/online`), "0\n");
  assertEquals(fake.read(`${node}/node0/cpu2/topology/core_id`), "2\n");
  const first = fake.read(`${node}/node0/meminfo`);
  assertEquals(
    isErrno(first) ? first : first.split("\n")[0],
    "Node 0 MemTotal:        1048576 kB",
  );
});

Deno.test("sys: names are fixed and files can't be made", () => {
  const fake = machine();
  assertEquals(fake.list("/sys/fs"), [".", "..", "cgroup"]);
  assertEquals(fake.open("/sys/new", O_CREAT | O_RDWR), EACCES);
  assertEquals(
    fake.vfs.mkdir(fake.caller, fake.at, "/sys/fs/cgroup/x", 0o755),
    EPERM,
  );
  assertEquals(isErrno(fake.open("/sys/power", O_RDONLY)), false);
});
