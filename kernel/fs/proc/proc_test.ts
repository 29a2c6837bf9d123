/**
 * The tree of proc: which names there are, for whom, and how long.
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import {
  EACCES,
  EINVAL,
  EIO,
  ENOENT,
  EPERM,
  ESRCH,
  isErrno,
} from "../../abi/errno.ts";
import { O_CREAT, O_RDONLY, O_RDWR, O_WRONLY } from "../../abi/fcntl.ts";
import {
  CLONE_FILES,
  CLONE_FS,
  CLONE_SIGHAND,
  CLONE_THREAD,
  CLONE_VM,
} from "../../abi/sched.ts";
import { rootCredentials } from "../../syscalls/sys_identity.ts";
import { NO_CAPABILITIES } from "../../task/credentials.ts";
import type { Task } from "../../task/task.ts";
import { done } from "../fake_vfs.ts";
import { ProcFixture } from "./_fixture.ts";

const THREAD = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
  CLONE_THREAD;

/** Makes the task an ordinary user's. */
function become(task: Task, uid: number): void {
  task.credentials = rootCredentials({
    uid,
    euid: uid,
    suid: uid,
    fsuid: uid,
    gid: uid,
    egid: uid,
    sgid: uid,
    fsgid: uid,
    permitted: NO_CAPABILITIES,
    effective: NO_CAPABILITIES,
  });
}

Deno.test("proc lists its files and then every process, however often asked", () => {
  const proc = new ProcFixture();
  proc.clone();
  proc.clone();
  const names = proc.list("/proc");
  assertEquals(names.slice(0, 2), [".", ".."]);
  assertEquals(names.slice(-3), ["1", "2", "3"]);
  assert(names.includes("self") && names.includes("meminfo"));
  assertEquals(proc.list("/proc", 1), names);
  assertEquals(proc.list("/proc", 7), names);
});

Deno.test("every file that proc lists can be read, or says why not", () => {
  const proc = new ProcFixture();
  const walk = (path: string) => {
    for (const name of proc.list(path)) {
      if (name === "." || name === "..") continue;
      const child = `${path}/${name}`;
      const inode = done(proc.inode(child));
      if (inode.isDirectory) walk(child);
      else if (inode.isSymlink) assert(!isErrno(proc.readlink(child)), child);
      else if (name === "mem") assertEquals(proc.read(child), EIO);
      else assert(!isErrno(proc.read(child)), child);
    }
  };
  walk("/proc");
  walk("/sys");
});

Deno.test("self and thread-self name the reader", () => {
  const proc = new ProcFixture();
  const child = proc.clone();
  const thread = proc.clone(child, THREAD);
  assertEquals(proc.readlink("/proc/self"), "1");
  assertEquals(proc.readlink("/proc/self", thread), "2");
  assertEquals(proc.readlink("/proc/thread-self", thread), "2/task/3");
  assert(proc.text("/proc/self/status", thread).includes("\nPid:\t2\n"));
  assert(proc.text("/proc/thread-self/status", thread).includes("\nPid:\t3\n"));
});

Deno.test("a thread has a directory in its process's task, and a hidden one", () => {
  const proc = new ProcFixture();
  const thread = proc.clone(proc.init, THREAD);
  assertEquals(proc.list("/proc/1/task"), [".", "..", "1", "2"]);
  assert(!proc.list("/proc").includes("2"));
  assert(proc.text("/proc/2/status").includes("\nTgid:\t1\n"));
  assert(proc.text("/proc/2/status").includes("\nPid:\t2\n"));
  assertEquals(done(proc.inode("/proc/1/task")).nlink, 4);
  proc.exit(thread);
  assertEquals(proc.inode("/proc/1/task/2"), ENOENT);
  assertEquals(proc.inode("/proc/2"), ENOENT);
});

Deno.test("names of a process vanish when it is reaped", () => {
  const proc = new ProcFixture();
  const child = proc.clone();
  const stat = done(proc.open("/proc/2/stat"));
  const directory = done(proc.open("/proc/2"));
  assert(!isErrno(proc.inode("/proc/2/status")));
  proc.chdir(proc.init, "/proc/2");
  proc.exit(child);
  assertEquals(proc.text("/proc/2/stat").split(" ")[2], "Z");
  assertEquals(proc.text("/proc/2/maps"), "");
  assertEquals(proc.text("/proc/2/cmdline"), "");
  assertEquals(proc.readlink("/proc/2/cwd"), ENOENT);
  assertEquals(proc.readlink("/proc/2/exe"), ENOENT);
  assertEquals(proc.read("/proc/2/mounts"), EINVAL);
  proc.reap(child);
  assertEquals(proc.inode("/proc/2"), ENOENT);
  assertEquals(proc.readSome(stat, 100), ESRCH);
  const sink = { emit: () => true };
  assertEquals(directory.readDirectory(sink, proc.init), ENOENT);
  const { cwd } = proc.init.fsContext;
  const below = proc.kernel.vfs.resolve(proc.init, cwd, "status", {
    follow: true,
  });
  assertEquals(below, ESRCH);
  stat.release();
  directory.release();
});

Deno.test("a number that is used again names the new process", () => {
  const proc = new ProcFixture();
  const first = proc.clone();
  first.comm = "first";
  assertEquals(proc.text("/proc/2/comm"), "first\n");
  const held = done(proc.open("/proc/2/comm"));
  proc.exit(first);
  proc.reap(first);
  const second = proc.clone();
  proc.init.namespace.remove(second.tid);
  second.tid = 2;
  proc.init.namespace.add(2, second);
  second.comm = "second";
  assertEquals(proc.text("/proc/2/comm"), "second\n");
  assertEquals(proc.readSome(held, 100), ESRCH);
  held.release();
});

Deno.test("inode numbers stay, and differ between trees", () => {
  const proc = new ProcFixture();
  proc.clone();
  const seen = new Map<number, string>();
  const walk = (path: string) => {
    const file = done(proc.open(path));
    const entries: [string, number][] = [];
    const emit = (name: string, ino: number) => {
      if (!name.startsWith(".")) entries.push([name, ino]);
      return true;
    };
    done(file.readDirectory({ emit }, proc.init));
    file.release();
    for (const [name, ino] of entries) {
      const child = `${path}/${name}`;
      const inode = done(proc.inode(child));
      assertEquals(inode.ino, ino, child);
      assertEquals(seen.get(ino), undefined, child);
      seen.set(ino, child);
      if (inode.isDirectory) walk(child);
    }
  };
  walk("/proc");
});

Deno.test("fd links show and open what a descriptor is", () => {
  const proc = new ProcFixture();
  const file = done(proc.open("/program", O_RDONLY));
  proc.init.fdTable.installAt(0, file, { closeOnExec: false });
  const writable = done(proc.open("/new", O_WRONLY | O_CREAT));
  proc.init.fdTable.installAt(5, writable, { closeOnExec: true });
  assertEquals(proc.list("/proc/self/fd"), [".", "..", "0", "5"]);
  assertEquals(done(proc.inode("/proc/self/fd")).size, 2);
  assertEquals(proc.readlink("/proc/self/fd/0"), "/program");
  assertEquals(done(proc.inode("/proc/self/fd/0")).mode, 0o120500);
  assertEquals(done(proc.inode("/proc/self/fd/5")).mode, 0o120300);
  assertEquals(done(proc.inode("/proc/self/fd/5")).size, 64);
  assertEquals(proc.text("/proc/self/fd/0").slice(1, 4), "ELF");
  assertEquals(
    proc.text("/proc/self/fdinfo/5").split("\n").slice(0, 2),
    ["pos:\t0", "flags:\t02000001"],
  );
  done(proc.kernel.vfs.unlink(proc.init, proc.init.fsContext.root, "/new"));
  assertEquals(proc.readlink("/proc/self/fd/5"), "/new (deleted)");
  for (const name of ["1", "05", "-1", "+5", "5 ", "99999999999"]) {
    assertEquals(proc.inode(`/proc/self/fd/${name}`), ENOENT, name);
  }
  proc.init.fdTable.close(5, proc.init);
  assertEquals(proc.inode("/proc/self/fd/5"), ENOENT);
  assertEquals(proc.inode("/proc/self/fdinfo/5"), ENOENT);
});

Deno.test("cwd, root and exe lead to the places that a process has", () => {
  const proc = new ProcFixture();
  proc.mkdir("/here");
  const child = proc.clone();
  proc.chdir(child, "/here");
  assertEquals(proc.readlink("/proc/2/cwd"), "/here");
  assertEquals(proc.readlink("/proc/2/root"), "/");
  assertEquals(proc.readlink("/proc/2/exe"), "/program");
  assertEquals(proc.inode("/proc/2/cwd/."), proc.inode("/here"));
});

Deno.test("another user's process keeps its secrets", () => {
  const proc = new ProcFixture();
  const stranger = proc.clone();
  become(stranger, 1000);
  for (const name of ["environ", "auxv", "maps", "smaps", "mem", "syscall"]) {
    assertEquals(proc.read(`/proc/1/${name}`, stranger), EACCES, name);
  }
  for (const name of ["cwd", "root", "exe", "ns/uts"]) {
    assertEquals(proc.readlink(`/proc/1/${name}`, stranger), EACCES, name);
  }
  assertEquals(proc.open("/proc/1/fd", O_RDONLY, stranger), EACCES);
  assert(!isErrno(proc.read("/proc/1/status", stranger)));
  assert(!isErrno(proc.read("/proc/1/cmdline", stranger)));
  // Addresses would help an attacker.
  const fields = proc.text("/proc/1/stat", stranger).split(" ");
  assertEquals(fields.slice(25, 28), ["1", "1", "0"]);
  assertEquals(fields.slice(44, 51), Array(7).fill("0"));
  assert(!isErrno(proc.read("/proc/2/maps", stranger)));
});

Deno.test("files of a process are its user's, or root's if not dumpable", () => {
  const proc = new ProcFixture();
  const child = proc.clone();
  become(child, 1000);
  const owner = (path: string) => done(proc.inode(path)).uid;
  assertEquals(owner("/proc/2"), 1000);
  assertEquals(owner("/proc/2/environ"), 1000);
  child.threadGroup.isDumpable = false;
  assertEquals(owner("/proc/2"), 1000);
  assertEquals(owner("/proc/2/environ"), 0);
  const other = proc.clone();
  become(other, 1000);
  assertEquals(proc.readlink("/proc/2/exe", other), EACCES);
});

Deno.test("nobody makes, removes or changes names in proc", () => {
  const proc = new ProcFixture();
  const { vfs } = proc.kernel;
  const root = proc.init.fsContext.root;
  assertEquals(proc.open("/proc/new", O_CREAT | O_RDWR), EACCES);
  assertEquals(vfs.mkdir(proc.init, root, "/proc/new", 0o755), EPERM);
  assertEquals(vfs.unlink(proc.init, root, "/proc/version"), EPERM);
  assertEquals(vfs.rmdir(proc.init, root, "/proc/1"), EPERM);
  const { mount } = done(vfs.resolve(proc.init, root, "/proc", {
    follow: true,
  }));
  const inode = done(proc.inode("/proc/1/status"));
  assertEquals(vfs.chmod(mount, inode, 0o777, proc.init), EPERM);
  assertEquals(vfs.chown(mount, inode, 5, 5, proc.init), EPERM);
  assertEquals(proc.write("/proc/version", "x"), EIO);
  assertEquals(proc.write("/proc/1/stat", "x"), EINVAL);
});

Deno.test("a file is made at its start and stays the same in between", () => {
  const proc = new ProcFixture();
  const file = done(proc.open("/proc/1/comm"));
  proc.init.comm = "before";
  assertEquals(proc.readSome(file, 3), "bef");
  proc.init.comm = "after";
  assertEquals(proc.readSome(file, 100), "ore\n");
  assertEquals(proc.readSome(file, 100), "");
  assertEquals(file.seek(0, 0), 0);
  assertEquals(proc.readSome(file, 100), "after\n");
  assertEquals(file.seek(0, 2), EINVAL);
  file.release();
});
