/**
 * Texts of /proc/PID, compared with what the manual pages promise.
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { EACCES, EINVAL, EIO, EPERM, isErrno } from "../../abi/errno.ts";
import { O_RDWR } from "../../abi/fcntl.ts";
import { MAP_ANONYMOUS, MAP_PRIVATE, PROT_NONE } from "../../abi/mman.ts";
import { RLIMIT_NOFILE } from "../../abi/resource.ts";
import { CLONE_NEWUTS } from "../../abi/sched.ts";
import { rootCredentials } from "../../syscalls/sys_identity.ts";
import { capabilitySet, NO_CAPABILITIES } from "../../task/credentials.ts";
import { done } from "../fake_vfs.ts";
import { ProcFixture } from "./_fixture.ts";

/** Lines of "Key:\tvalue" as a map. */
function fields(text: string): Map<string, string> {
  const lines = text.split("\n").filter((line) => line !== "");
  return new Map(lines.map((line) => {
    const [, key, value] = /^([^:]+):[\t ]*(.*)$/.exec(line)!;
    return [key!, value!];
  }));
}

Deno.test("stat has 52 fields, the name in parentheses", () => {
  const proc = new ProcFixture();
  proc.init.comm = "a) b (c";
  const text = proc.text("/proc/1/stat");
  assertMatch(text, /^1 \(a\) b \(c\) [RS] 0 1 1 0 -1 \d+( -?\d+){43}\n$/);
});

Deno.test("stat tells priority, threads and where the program lies", () => {
  const proc = new ProcFixture();
  proc.init.nice = -5;
  const values = proc.text("/proc/1/stat").trim().split(" ");
  const field = (number: number) => values[number - 1];
  assertEquals(field(18), "15");
  assertEquals(field(19), "-5");
  assertEquals(field(20), "1");
  assertEquals(field(25), "18446744073709551615");
  assertEquals(field(26), `${0x400000}`);
  const program = proc.init.memory.program!;
  assertEquals(field(28), `${program.startStack}`);
  assertEquals(field(48), `${program.argStart}`);
});

Deno.test("statm counts pages", () => {
  const proc = new ProcFixture();
  const before = proc.text("/proc/1/statm").split(" ").map(Number);
  proc.bare.allocate(40960);
  const after = proc.text("/proc/1/statm").split(" ").map(Number);
  assertEquals(after.length, 7);
  assertEquals(after[0]! - before[0]!, 10);
});

Deno.test("status has Linux's lines in Linux's order", () => {
  const proc = new ProcFixture();
  const keys = [...fields(proc.text("/proc/1/status")).keys()];
  assertEquals(
    keys.join(" "),
    "Name Umask State Tgid Ngid Pid PPid TracerPid Uid Gid FDSize Groups " +
      "NStgid NSpid NSpgid NSsid Kthread VmPeak VmSize VmLck VmPin VmHWM " +
      "VmRSS RssAnon RssFile RssShmem VmData VmStk VmExe VmLib VmPTE VmSwap " +
      "HugetlbPages CoreDumping THP_enabled untag_mask Threads SigQ SigPnd " +
      "ShdPnd SigBlk SigIgn SigCgt CapInh CapPrm CapEff CapBnd CapAmb " +
      "NoNewPrivs Seccomp Seccomp_filters Speculation_Store_Bypass " +
      "SpeculationIndirectBranch Cpus_allowed Cpus_allowed_list " +
      "Mems_allowed Mems_allowed_list voluntary_ctxt_switches " +
      "nonvoluntary_ctxt_switches x86_Thread_features " +
      "x86_Thread_features_locked",
  );
});

Deno.test("status shows ids, masks and capabilities of the task", () => {
  const proc = new ProcFixture();
  const child = proc.clone();
  child.credentials = rootCredentials({
    uid: 1,
    euid: 2,
    suid: 3,
    fsuid: 4,
    groups: [7, 8],
    permitted: capabilitySet([0, 33]),
    effective: NO_CAPABILITIES,
  });
  child.comm = "two\nlines\\";
  child.setBlocked(1 << 9, 1);
  const status = fields(proc.text("/proc/2/status"));
  assertEquals(status.get("Name"), "two\\012lines\\134");
  assertEquals(status.get("Umask"), "0022");
  assertEquals(status.get("PPid"), "1");
  assertEquals(status.get("Uid"), "1\t2\t3\t4");
  assertEquals(status.get("Groups"), "7 8 ");
  assertEquals(status.get("CapPrm"), "0000000200000001");
  assertEquals(status.get("SigBlk"), "0000000100000200");
  assertMatch(status.get("VmSize")!, /^ *\d+ kB$/);
});

Deno.test("maps has a row per mapping, names from column 73 on", () => {
  const proc = new ProcFixture();
  const rows = proc.text("/proc/1/maps").trimEnd().split("\n");
  for (const row of rows) {
    assertMatch(
      row,
      /^[0-9a-f]{8,16}-[0-9a-f]{8,16} [r-][w-][x-][ps] [0-9a-f]{8,} [0-9a-f]{2,}:[0-9a-f]{2,} \d+ /,
    );
  }
  const program = rows.find((row) => row.endsWith("/program"))!;
  assertEquals(program.indexOf("/program"), 73);
  assertMatch(program, /^00400000-00401000 r-xp 00000000 /);
  assert(rows.some((row) => row.slice(73) === "[stack]"));
});

Deno.test("smaps repeats the rows of maps, each with its sizes", () => {
  const proc = new ProcFixture();
  const lines = proc.text("/proc/1/smaps").split("\n");
  const rows = lines.filter((line) => /^[0-9a-f]+-[0-9a-f]+ /.test(line));
  assertEquals(`${rows.join("\n")}\n`, proc.text("/proc/1/maps"));
  assertEquals(lines.filter((l) => l.startsWith("Rss:")).length, rows.length);
  assertMatch(lines[1]!, /^Size: {12}\d{4,} kB$|^Size: +\d+ kB$/);
  assertMatch(
    proc.text("/proc/1/smaps_rollup"),
    /^[0-9a-f-]+ ---p 00000000 00:00 0 +\[rollup\]\nRss: +\d+ kB\n/,
  );
});

Deno.test("memory that was reserved is resident once it is touched", () => {
  const proc = new ProcFixture();
  const anonymous = () =>
    parseInt(
      /^Anonymous: +(\d+) kB$/m.exec(proc.text("/proc/1/smaps_rollup"))![1]!,
    );
  const before = anonymous();
  const addr = proc.bare.allocate(4 << 20);
  assertEquals(anonymous(), before);
  proc.init.memory.writeU8(addr + 8192, 1);
  proc.init.memory.writeU8(addr + 65536, 1);
  // The file behind it is shared memory: no page is given in advance.
  assertEquals(anonymous(), before + 8);
});

Deno.test("cmdline and environ are the bytes of the program's stack", () => {
  const proc = new ProcFixture();
  assertEquals(proc.text("/proc/1/cmdline"), "program\0");
  assertEquals(proc.text("/proc/1/environ"), "");
  const { memory } = proc.init;
  const { argStart, argEnd } = memory.program!;
  memory.writeU8(argStart, "P".charCodeAt(0));
  assertEquals(proc.text("/proc/1/cmdline"), "Program\0");
  // Without its last NUL it is one string, as setproctitle(3) leaves it.
  memory.writeU8(argStart + 3, 0);
  memory.writeU8(argEnd - 1, "!".charCodeAt(0));
  assertEquals(proc.text("/proc/1/cmdline"), "Pro\0");
});

Deno.test("cmdline of unmapped memory ends where the memory does", () => {
  const proc = new ProcFixture();
  const { memory } = proc.init;
  const page = Math.floor(memory.program!.argStart / 4096) * 4096;
  done(memory.unmap(page, 4096));
  assertEquals(proc.text("/proc/1/cmdline"), "");
});

Deno.test("auxv is pairs of words up to AT_NULL", () => {
  const proc = new ProcFixture();
  const bytes = proc.text("/proc/1/auxv");
  assertEquals(bytes.length % 16, 0);
  assertEquals(bytes.slice(-16), "\0".repeat(16));
});

Deno.test("limits is a table of fixed columns", () => {
  const proc = new ProcFixture();
  proc.init.threadGroup.limits.set(RLIMIT_NOFILE, 77, Infinity);
  const lines = proc.text("/proc/1/limits").split("\n");
  assertEquals(
    lines[0],
    "Limit                     Soft Limit           Hard Limit           Units     ",
  );
  assertEquals(
    lines[8],
    "Max open files            77                   unlimited            files     ",
  );
  assertEquals(lines.length, 18);
});

Deno.test("mounts and mountinfo show what the reader's root can see", () => {
  const proc = new ProcFixture();
  proc.mkdir("/with space");
  const { vfs } = proc.kernel;
  const root = proc.init.fsContext.root;
  const at = done(vfs.resolve(proc.init, root, "/with space", {
    follow: true,
  }));
  const tmpfs = done(
    vfs.fileSystemTypes.get("tmpfs")!.create("#1", "size=64k", proc.init),
  );
  done(vfs.mount(tmpfs, at, { flags: 1 | 2, source: "#1" }));
  at.release();
  const mounts = proc.text("/proc/mounts").trimEnd().split("\n");
  assertMatch(mounts[0]!, /^tmpfs \/ tmpfs rw,relatime,\S* 0 0$/);
  assertEquals(mounts[1], "proc /proc proc rw,relatime 0 0");
  assertMatch(
    mounts.at(-1)!,
    /^\\0431 \/with\\040space tmpfs ro,nosuid,relatime,size=64k\S* 0 0$/,
  );
  const info = proc.text("/proc/self/mountinfo").trimEnd().split("\n");
  assertMatch(
    info.at(-1)!,
    /^\d+ \d+ 0:\d+ \/ \/with\\040space ro,nosuid,relatime - tmpfs \\0431 rw,size=64k/,
  );
  assertEquals(info.length, mounts.length);
  assertMatch(
    proc.text("/proc/self/mountstats"),
    /^device tmpfs mounted on \/ with fstype tmpfs\n/,
  );
});

Deno.test("mem reads and writes past the rights of a mapping", () => {
  const proc = new ProcFixture();
  const addr = proc.bare.allocate(8192);
  proc.init.memory.writeBytes(
    addr + 4090,
    new TextEncoder().encode("over two"),
  );
  done(proc.init.memory.protect(addr, 8192, PROT_NONE));
  const file = done(proc.open("/proc/1/mem", O_RDWR));
  assertEquals(file.seek(addr + 4090, 0), addr + 4090);
  assertEquals(proc.readSome(file, 8), "over two");
  file.seek(addr + 4090, 0);
  assertEquals(proc.writeTo(file, "upon", proc.init), 4);
  file.seek(addr + 8190, 0);
  // The rest is not mapped: what there is counts.
  assertEquals(proc.readSome(file, 10), "\0\0");
  assertEquals(proc.readSome(file, 10), EIO);
  file.seek(addr + 4090, 0);
  assertEquals(proc.readSome(file, 8), "upon two");
  file.release();
});

Deno.test("comm is changed by threads of the process only", () => {
  const proc = new ProcFixture();
  const child = proc.clone();
  assertEquals(proc.write("/proc/1/comm", "a name of more than 15\n"), 23);
  assertEquals(proc.text("/proc/1/comm"), "a name of more \n");
  assertEquals(proc.write("/proc/1/comm", "other", child), EINVAL);
});

Deno.test("oom_score_adj takes -1000 to 1000, downwards with privilege", () => {
  const proc = new ProcFixture();
  const path = "/proc/1/oom_score_adj";
  for (const bad of ["", "x", "1001", "-1001", "1 2", "1e3"]) {
    assertEquals(proc.write(path, bad), EINVAL, bad);
  }
  assertEquals(proc.write(path, " 500\n"), 5);
  assertEquals(proc.text(path), "500\n");
  assertEquals(proc.text("/proc/1/oom_adj"), "8\n");
  const child = proc.clone();
  child.credentials = rootCredentials({ effective: NO_CAPABILITIES });
  const own = "/proc/2/oom_score_adj";
  assertEquals(proc.write(own, "600", child), 3);
  assertEquals(proc.write(own, "599", child), EACCES);
  assertEquals(proc.write("/proc/1/oom_adj", "-17"), 3);
  assertEquals(proc.text(path), "-1000\n");
  assertEquals(proc.text("/proc/1/oom_score"), "0\n");
});

Deno.test("id maps are complete and can't be set again", () => {
  const proc = new ProcFixture();
  assertEquals(
    proc.text("/proc/1/uid_map"),
    "         0          0 4294967295\n",
  );
  assertEquals(proc.write("/proc/1/gid_map", "0 0 1"), EPERM);
  assertEquals(proc.write("/proc/1/setgroups", "deny"), EPERM);
  assertEquals(proc.write("/proc/1/setgroups", "maybe"), EINVAL);
});

Deno.test("ns links tell namespaces apart", () => {
  const proc = new ProcFixture();
  proc.clone();
  proc.clone(proc.init, CLONE_NEWUTS);
  const uts = (pid: number) => done(proc.readlink(`/proc/${pid}/ns/uts`));
  assertEquals(uts(1), "uts:[4026531838]");
  assertEquals(uts(2), uts(1));
  assertMatch(uts(3), /^uts:\[\d+\]$/);
  assert(uts(3) !== uts(1));
  assertEquals(uts(3), uts(3));
  const file = done(proc.open("/proc/3/ns/uts"));
  assertEquals(`uts:[${file.inode.ino}]`, uts(3));
  file.release();
});

Deno.test("children lists what a thread forked", () => {
  const proc = new ProcFixture();
  proc.clone();
  proc.clone();
  assertEquals(proc.text("/proc/1/task/1/children"), "2 3 ");
  assertEquals(proc.text("/proc/2/task/2/children"), "");
});

Deno.test("sizes that a guest cannot have are refused by map, not by maps", () => {
  const proc = new ProcFixture();
  const addr = proc.init.memory.map({
    addr: 0,
    length: 2 ** 40,
    prot: PROT_NONE,
    flags: MAP_PRIVATE | MAP_ANONYMOUS,
    mappable: null,
    offset: 0,
  });
  assert(!isErrno(addr));
  const row = proc.text("/proc/1/maps").split("\n")
    .find((line) => line.startsWith(addr.toString(16)))!;
  assertMatch(row, / ---p 00000000 00:00 0 $/);
});
