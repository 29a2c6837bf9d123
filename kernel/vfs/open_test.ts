import { assertEquals, assertInstanceOf } from "@std/assert";
import {
  EACCES,
  EISDIR,
  ELOOP,
  ENOENT,
  ENXIO,
  EROFS,
  type Errno,
  ETXTBSY,
  isErrno,
} from "../abi/errno.ts";
import {
  O_CREAT,
  O_EXCL,
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  O_RDWR,
  O_TMPFILE,
  O_TRUNC,
  O_WRONLY,
} from "../abi/fcntl.ts";
import { MS_NODEV, MS_NOEXEC, MS_RDONLY } from "../abi/mount.ts";
import { S_IFCHR } from "../abi/stat.ts";
import { done, FakeVfs } from "../fs/fake_vfs.ts";
import { type FileDescription, PathDescription } from "./file_description.ts";
import { FOLLOW, NOFOLLOW } from "./vfs_core.ts";

/** What opening says, with the file closed again. */
function outcome(result: FileDescription | Errno): Errno | "opened" {
  if (isErrno(result)) return result;
  result.release();
  return "opened";
}

Deno.test("openFile() keeps creation flags out of the file's flags", () => {
  const fake = new FakeVfs();
  const file = done(fake.open("f", O_CREAT | O_EXCL | O_TRUNC | O_RDWR));
  assertEquals(file.flags, O_RDWR);
  file.release();
});

Deno.test("openFile() lets the maker of a file write whatever its mode", () => {
  const fake = new FakeVfs();
  const user = fake.newCaller(1000);
  done(fake.inode("/")).mode |= 0o002;
  const how = { flags: O_CREAT | O_RDWR, mode: 0o400 };
  assertEquals(outcome(fake.vfs.open(user, fake.at, "f", how)), "opened");
  assertEquals(outcome(fake.vfs.open(user, fake.at, "f", how)), EACCES);
});

Deno.test("openFile() refuses changes through a read-only mount", () => {
  const fake = new FakeVfs();
  fake.write("f", "x");
  fake.rootMount.flags |= MS_RDONLY;
  assertEquals(outcome(fake.open("f", O_RDONLY)), "opened");
  assertEquals(outcome(fake.open("f", O_WRONLY)), EROFS);
  assertEquals(outcome(fake.open("f", O_RDONLY | O_TRUNC)), EROFS);
  assertEquals(outcome(fake.open("new", O_CREAT | O_WRONLY)), EROFS);
  // What exists is no change.
  assertEquals(outcome(fake.open("f", O_CREAT | O_RDONLY)), "opened");
});

Deno.test("openFile() finds no driver, or is not asked to, for devices", () => {
  const fake = new FakeVfs();
  const { vfs, caller } = fake;
  done(vfs.mknod(caller, fake.at, "dev", S_IFCHR | 0o666, 0x103));
  assertEquals(outcome(fake.open("dev", O_RDONLY)), ENXIO);
  fake.rootMount.flags |= MS_NODEV;
  assertEquals(outcome(fake.open("dev", O_RDONLY)), EACCES);
});

Deno.test("openFile() with O_PATH names a place and nothing else", () => {
  const fake = new FakeVfs();
  fake.write("f", "x", 0o000);
  fake.symlink("f", "link");
  const user = fake.newCaller(1000);
  const open = (path: string, flags: number) =>
    done(fake.vfs.open(user, fake.at, path, { flags, mode: 0 }));
  const file = open("f", O_PATH);
  assertInstanceOf(file, PathDescription);
  assertEquals([file.isReadable, file.isWritable], [false, false]);
  const link = open("link", O_PATH | O_NOFOLLOW);
  assertEquals(link.inode.isSymlink, true);
  assertEquals(outcome(fake.open("link", O_RDONLY | O_NOFOLLOW)), ELOOP);
  file.release();
  link.release();
});

Deno.test("openFile() with O_TMPFILE makes a file that link() can name", () => {
  const fake = new FakeVfs();
  const { vfs, caller } = fake;
  const file = done(fake.open(".", O_TMPFILE | O_RDWR));
  assertEquals(file.inode.nlink, 0);
  assertEquals(fake.list("."), [".", ".."]);
  const text = vfs.pathTo(fake.at, file.path);
  assertEquals(text, `/#${file.inode.ino} (deleted)`);
  const link = () =>
    vfs.link(
      caller,
      { at: file.path, path: "" },
      { follow: false, allowEmpty: true },
      { at: fake.at, path: "named" },
    );
  assertEquals(link(), null);
  assertEquals(file.inode.nlink, 1);
  file.release();
  assertEquals(fake.read("named"), "");
  const sealed = done(fake.open(".", O_TMPFILE | O_EXCL | O_RDWR));
  const unnamed = vfs.link(
    caller,
    { at: sealed.path, path: "" },
    { follow: false, allowEmpty: true },
    { at: fake.at, path: "other" },
  );
  assertEquals(unnamed, ENOENT);
  sealed.release();
});

Deno.test("openExecutable() asks for execute permission only", () => {
  const fake = new FakeVfs();
  fake.write("run", "x", 0o111);
  fake.write("plain", "x", 0o666);
  fake.mkdir("dir");
  fake.symlink("run", "link");
  const user = fake.newCaller(1000);
  const exec = (path: string, options = FOLLOW) =>
    outcome(fake.vfs.openExecutable(user, fake.at, path, options));
  assertEquals(exec("run"), "opened");
  assertEquals(exec("link"), "opened");
  assertEquals(exec("link", NOFOLLOW), ELOOP);
  assertEquals(exec("plain"), EACCES);
  assertEquals(exec("dir"), EACCES);
  assertEquals(exec("none"), ENOENT);
  fake.rootMount.flags |= MS_NOEXEC;
  assertEquals(exec("run"), EACCES);
});

Deno.test("denyWrite() and open writers exclude each other", () => {
  const fake = new FakeVfs();
  fake.write("run", "x", 0o755);
  const inode = done(fake.inode("run"));
  const writer = done(fake.open("run", O_WRONLY));
  const exec = () =>
    outcome(fake.vfs.openExecutable(fake.caller, fake.at, "run", FOLLOW));
  assertEquals(exec(), ETXTBSY);
  writer.release();
  assertEquals(exec(), "opened");
  inode.denyWrite();
  assertEquals(outcome(fake.open("run", O_WRONLY)), ETXTBSY);
  const { caller, rootMount, vfs } = fake;
  assertEquals(vfs.truncate(rootMount, inode, 0, caller), ETXTBSY);
  inode.allowWrite();
  assertEquals(outcome(fake.open("run", O_WRONLY)), "opened");
  assertEquals(outcome(fake.open("/", O_WRONLY)), EISDIR);
});
