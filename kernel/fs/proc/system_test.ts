/**
 * Files of /proc about the system as a whole, and /proc/sys.
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { EACCES, ENOENT } from "../../abi/errno.ts";
import { O_WRONLY } from "../../abi/fcntl.ts";
import { CLONE_NEWUTS } from "../../abi/sched.ts";
import type { HostInfo } from "../../host.ts";
import { TimerQueue } from "../../time/timer_queue.ts";
import { done } from "../fake_vfs.ts";
import { ProcFixture } from "./_fixture.ts";
import { cpuinfo } from "./system/cpuinfo.ts";
import { LoadAverage } from "./system/load_average.ts";

const SEC = 1e9;

Deno.test("meminfo adds up and is aligned as Linux's", () => {
  const proc = new ProcFixture();
  const text = proc.text("/proc/meminfo");
  for (const line of text.trimEnd().split("\n")) {
    assertMatch(line, /^[A-Z][A-Za-z()]+: +\d+ kB$/);
    assert(line.indexOf(" kB") >= 24, line);
  }
  const value = (name: string) =>
    Number(new RegExp(`^${name}: +(\\d+) kB$`, "m").exec(text)![1]);
  assertEquals(value("MemTotal"), 2 ** 20);
  assert(value("MemFree") < value("MemTotal"));
  const used = value("MemTotal") - value("MemFree");
  assertEquals(value("AnonPages") + value("Cached"), used);
});

Deno.test("stat has a row per CPU and the counters that tools look for", () => {
  const proc = new ProcFixture();
  const lines = proc.text("/proc/stat").trimEnd().split("\n");
  assertMatch(lines[0]!, /^cpu {2}\d+( \d+){9}$/);
  assertMatch(lines[1]!, /^cpu0 \d+( \d+){9}$/);
  const keys = lines.slice(2).map((line) => line.split(" ")[0]);
  assertEquals(keys, [
    "intr",
    "ctxt",
    "btime",
    "processes",
    "procs_running",
    "procs_blocked",
    "softirq",
  ]);
});

Deno.test("uptime, loadavg and version have their fixed forms", () => {
  const proc = new ProcFixture();
  assertMatch(proc.text("/proc/uptime"), /^\d+\.\d\d \d+\.\d\d\n$/);
  assertMatch(
    proc.text("/proc/loadavg"),
    /^\d+\.\d\d \d+\.\d\d \d+\.\d\d \d+\/\d+ \d+\n$/,
  );
  assertMatch(proc.text("/proc/version"), /^Linux version \d+\.\d+\.\d+\S* /);
});

Deno.test("filesystems tells which types need a device", () => {
  const proc = new ProcFixture();
  const rows = proc.text("/proc/filesystems").trimEnd().split("\n");
  for (const type of ["proc", "sysfs", "tmpfs"]) {
    assert(rows.includes(`nodev\t${type}`), type);
  }
});

Deno.test("cpuinfo numbers the CPUs and keeps the rest of the host's words", () => {
  const info: HostInfo = {
    cpuCount: 2,
    memoryBytes: 0,
    cpuinfo: "processor\t: 5\ncore id\t\t: 9\ncpu cores\t: 64\n" +
      "model name\t: A: B\npower management:\n",
    hwcap: 0,
    hwcap2: 0,
    tscHz: 0,
    vdso: new Uint8Array(),
  };
  const one = (cpu: number) =>
    `processor\t: ${cpu}\ncore id\t\t: ${cpu}\ncpu cores\t: 2\n` +
    "model name\t: A: B\npower management:\n\n";
  assertEquals(cpuinfo(info), one(0) + one(1));
});

Deno.test("LoadAverage samples from the first question on", () => {
  const timers = new TimerQueue();
  let running = 3;
  const load = new LoadAverage(timers, () => running);
  assertEquals(timers.nextDeadlineNs, Infinity);
  assertEquals(load.averages(0), [0, 0, 0]);
  assertEquals(timers.nextDeadlineNs, 5 * SEC);
  let nowNs = 0;
  const pass = (sec: number) => {
    for (const endNs = nowNs + sec * SEC; nowNs < endNs;) {
      nowNs += 5 * SEC;
      timers.expire(nowNs);
    }
  };
  pass(60);
  const [one, five, fifteen] = load.averages(nowNs).map((x) => x.toFixed(2));
  // 3 (1 - e^-1), 3 (1 - e^-1/5), 3 (1 - e^-1/15).
  assertEquals([one, five, fifteen], ["1.90", "0.54", "0.19"]);
  pass(3600);
  assertEquals(load.averages(nowNs)[2]!.toFixed(1), "2.9");
  running = 0;
  pass(3600);
  assertEquals(load.averages(nowNs)[0]!.toFixed(2), "0.00");
});

Deno.test("sys: facts can't be opened for writing, not even by root", () => {
  const proc = new ProcFixture();
  assertEquals(proc.text("/proc/sys/kernel/ostype"), "Linux\n");
  assertEquals(proc.open("/proc/sys/kernel/ostype", O_WRONLY), EACCES);
  assertEquals(proc.inode("/proc/sys/kernel/no_such"), ENOENT);
  assertEquals(done(proc.inode("/proc/sys/kernel")).nlink, 3);
});

Deno.test("sys/kernel/hostname is that of the caller's UTS namespace", () => {
  const proc = new ProcFixture();
  const other = proc.clone(proc.init, CLONE_NEWUTS);
  const path = "/proc/sys/kernel/hostname";
  assertEquals(proc.text(path), "bare\n");
  assertEquals(proc.write(path, "island\n", other), 7);
  assertEquals(proc.text(path, other), "island\n");
  assertEquals(proc.text(path), "bare\n");
  assertEquals(other.uts.hostname, "island");
  proc.write(path, "x".repeat(200));
  assertEquals(proc.init.uts.hostname.length, 64);
});

Deno.test("sys/kernel/random: one boot id, a new uuid each time", () => {
  const proc = new ProcFixture();
  const form =
    /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\n$/;
  const bootId = proc.text("/proc/sys/kernel/random/boot_id");
  assertMatch(bootId, form);
  assertEquals(proc.text("/proc/sys/kernel/random/boot_id"), bootId);
  assertMatch(proc.text("/proc/sys/kernel/random/uuid"), form);
});

Deno.test("sys/fs/file-nr counts open files once, shared or not", () => {
  const proc = new ProcFixture();
  const count = () => Number(proc.text("/proc/sys/fs/file-nr").split("\t")[0]);
  assertEquals(count(), 0);
  const file = done(proc.open("/program"));
  proc.init.fdTable.installAt(3, file, { closeOnExec: false });
  proc.clone();
  assertEquals(count(), 1);
});

Deno.test("net tables of protocols that are missing have a head only", () => {
  const proc = new ProcFixture();
  assertEquals(proc.readlink("/proc/net"), "self/net");
  for (const name of ["tcp", "udp", "unix", "arp", "route"]) {
    assertMatch(proc.text(`/proc/net/${name}`), /^[^\n]+\n$/, name);
  }
  assertEquals(proc.text("/proc/net/dev").split("\n").length, 3);
});
