import { assertEquals } from "@std/assert";
import {
  EBUSY,
  EFBIG,
  EINVAL,
  ENOSPC,
  ENXIO,
  EPERM,
  type Errno,
  isErrno,
} from "../../abi/errno.ts";
import {
  F_SEAL_GROW,
  F_SEAL_SEAL,
  F_SEAL_SHRINK,
  F_SEAL_WRITE,
  FALLOC_FL_KEEP_SIZE,
  FALLOC_FL_PUNCH_HOLE,
  O_APPEND,
  O_CREAT,
  O_NOATIME,
  O_RDONLY,
  O_RDWR,
  SEEK_DATA,
  SEEK_END,
  SEEK_HOLE,
} from "../../abi/fcntl.ts";
import { RLIMIT_FSIZE } from "../../abi/resource.ts";
import { SIGXFSZ } from "../../abi/signal.ts";
import type { FileDescription } from "../../vfs/file_description.ts";
import { RegularFileDescription } from "../../vfs/regular_file.ts";
import { done, FakeVfs, type VfsCaller } from "../fake_vfs.ts";
import { Memfds } from "./memfd.ts";
import { TmpfsRegular } from "./tmpfs_regular.ts";
import { parseTmpfsOptions } from "./tmpfs_type.ts";

const PAGE = 4096;

function write(
  caller: VfsCaller,
  file: FileDescription,
  text: string,
): number | Errno {
  return file.write(caller.source(text), caller);
}

Deno.test("TmpfsFileSystem holds as many pages as size= allows", () => {
  const fake = new FakeVfs({ tmpfs: { sizeBytes: 2 * PAGE } });
  const file = done(fake.open("f", O_CREAT | O_RDWR));
  assertEquals(write(fake.caller, file, "x".repeat(PAGE)), PAGE);
  const other = done(fake.open("g", O_CREAT | O_RDWR));
  // What fits is written; the rest is the next call's error.
  assertEquals(write(fake.caller, other, "x".repeat(3 * PAGE)), PAGE);
  assertEquals(write(fake.caller, other, "x"), ENOSPC);
  assertEquals(file.truncate(0, fake.caller), null);
  assertEquals(write(fake.caller, other, "x"), 1);
  file.release();
  other.release();
  const status = fake.fs.status();
  assertEquals([status.blocks, status.blocksFree], [2, 0]);
});

Deno.test("TmpfsFileSystem holds as many inodes as nr_inodes= allows", () => {
  const fake = new FakeVfs({ tmpfs: { maxInodes: 3 } });
  fake.write("a", "");
  fake.write("b", "");
  assertEquals(fake.open("c", O_CREAT | O_RDWR), ENOSPC);
  done(fake.vfs.unlink(fake.caller, fake.at, "a"));
  fake.write("c", "");
});

Deno.test("TmpfsRegular keeps the data of an unlinked open file", () => {
  const fake = new FakeVfs();
  fake.write("f", "data");
  const before = fake.fs.status().filesFree;
  const file = done(fake.open("f", O_RDWR));
  done(fake.vfs.unlink(fake.caller, fake.at, "f"));
  assertEquals(done(file.read(fake.caller.room(9), fake.caller)), 4);
  const used = fake.memoryFile.allocatedBytes;
  file.release();
  assertEquals(used - fake.memoryFile.allocatedBytes, PAGE);
  assertEquals(fake.fs.status().filesFree, before + 1);
});

Deno.test("RegularFileDescription appends, seeks and finds holes", () => {
  const fake = new FakeVfs();
  const { caller } = fake;
  const file = done(fake.open("f", O_CREAT | O_RDWR | O_APPEND));
  assertEquals(write(caller, file, "one"), 3);
  file.offset = 0;
  assertEquals(write(caller, file, "two"), 3);
  assertEquals(file.offset, 6);
  assertEquals(file.truncate(3 * PAGE, caller), null);
  assertEquals(file.seek(-1, SEEK_END), 3 * PAGE - 1);
  assertEquals(file.seek(0, SEEK_HOLE), PAGE);
  assertEquals(file.seek(PAGE, SEEK_DATA), ENXIO);
  assertEquals(file.seek(-1, SEEK_DATA), ENXIO);
  assertEquals(file.seek(0, 9), EINVAL);
  const punch = FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE;
  assertEquals(file.allocate(punch, 0, PAGE, caller), null);
  assertEquals(file.seek(0, SEEK_DATA), ENXIO);
  assertEquals(file.allocate(0, 0, 4 * PAGE, caller), null);
  assertEquals([file.inode.size, file.inode.blocks], [4 * PAGE, 32]);
  file.release();
});

Deno.test("RegularFileDescription stops at RLIMIT_FSIZE with SIGXFSZ", () => {
  const fake = new FakeVfs();
  const { caller } = fake;
  caller.limits.set(RLIMIT_FSIZE, 5);
  const file = done(fake.open("f", O_CREAT | O_RDWR));
  assertEquals(write(caller, file, "1234567"), 5);
  assertEquals(caller.raised, []);
  assertEquals(write(caller, file, "8"), EFBIG);
  assertEquals(file.truncate(6, caller), EFBIG);
  assertEquals(caller.raised, [SIGXFSZ, SIGXFSZ]);
  assertEquals(file.truncate(2, caller), null);
  file.release();
});

Deno.test("RegularFileDescription clears set-ID bits when a user writes", () => {
  const fake = new FakeVfs();
  fake.write("f", "");
  const inode = done(fake.inode("f"));
  inode.mode = 0o100000 | 0o6777;
  const user = fake.newCaller(1000);
  const how = { flags: O_RDWR, mode: 0 };
  const file = done(fake.vfs.open(user, fake.at, "f", how));
  write(user, file, "x");
  assertEquals(inode.mode & 0o7777, 0o777);
  file.release();
});

Deno.test("RegularFileDescription keeps access times as relatime says", () => {
  const fake = new FakeVfs();
  const { caller } = fake;
  fake.write("f", "data");
  const inode = done(fake.inode("f"));
  const touch = (sec: number, flags = O_RDONLY) => {
    caller.hostClock.realtimeSec = sec;
    const file = done(fake.open("f", flags));
    file.read(caller.room(1), caller);
    file.release();
    return inode.atime.sec;
  };
  const start = inode.mtime.sec;
  assertEquals(touch(start + 10, O_RDONLY | O_NOATIME), start);
  const first = touch(start + 10);
  assertEquals(first > start, true);
  // Newer than the last change, and younger than a day.
  assertEquals(touch(start + 20), first);
  assertEquals(touch(start + 100_000) > first, true);
});

Deno.test("Memfds are sealed as they were asked to be", () => {
  const fake = new FakeVfs();
  const { caller } = fake;
  const memfds = new Memfds({
    memoryFile: fake.memoryFile,
    clock: caller.clock,
    device: fake.vfs.newDevice(),
  });
  const make = (canSeal: boolean) => {
    const options = { canSeal, isExecutable: true };
    const file = done(memfds.create("name", options, caller));
    if (!(file instanceof RegularFileDescription)) throw new Error("no file");
    if (!(file.file instanceof TmpfsRegular)) throw new Error("no tmpfs");
    return { file, inode: file.file };
  };
  const plain = make(false);
  assertEquals(plain.inode.seals, F_SEAL_SEAL);
  assertEquals(plain.inode.addSeals(F_SEAL_GROW), EPERM);
  const shown = fake.vfs.pathTo(fake.at, plain.file.path);
  assertEquals(shown, "/memfd:name (deleted)");
  plain.file.release();

  const { file, inode } = make(true);
  assertEquals(write(caller, file, "data"), 4);
  assertEquals(inode.addSeals(F_SEAL_GROW | F_SEAL_SHRINK), null);
  assertEquals(file.truncate(9, caller), EPERM);
  assertEquals(file.truncate(1, caller), EPERM);
  assertEquals(write(caller, file, "more"), EPERM);
  const range = { invalidate() {} };
  const mapping = done(file.mappable());
  assertEquals(mapping.addMapping(range, 0, PAGE, true), null);
  assertEquals(inode.addSeals(F_SEAL_WRITE), EBUSY);
  mapping.removeMapping(range, 0, PAGE, true);
  assertEquals(inode.addSeals(F_SEAL_WRITE), null);
  assertEquals(mapping.addMapping(range, 0, PAGE, true), EPERM);
  assertEquals(mapping.addMapping(range, 0, PAGE, false), null);
  mapping.removeMapping(range, 0, PAGE, false);
  file.offset = 0;
  assertEquals(write(caller, file, "x"), EPERM);
  file.release();
});

Deno.test("parseTmpfsOptions() knows tmpfs(5) and nothing else", () => {
  const { caller } = new FakeVfs();
  const parse = (data: string) => parseTmpfsOptions(data, 1 << 30, caller);
  const parsed = done(parse("size=64k,mode=700,uid=5,nr_inodes=2k,noswap"));
  assertEquals(
    [parsed.sizeBytes, parsed.mode, parsed.uid, parsed.maxInodes],
    [65536, 0o700, 5, 2048],
  );
  assertEquals(done(parse("size=10%")).sizeBytes, Math.floor(2 ** 30 / 10));
  assertEquals(done(parse("size=0")).sizeBytes, Infinity);
  assertEquals(done(parse("")).sizeBytes, 2 ** 29);
  for (const bad of ["size=x", "mode=9", "uid=-1", "what", "huge=always"]) {
    assertEquals(isErrno(parse(bad)), true, bad);
  }
});
