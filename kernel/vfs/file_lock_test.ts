import { assertEquals } from "@std/assert";
import { EAGAIN, EDEADLK } from "../abi/errno.ts";
import { F_RDLCK, F_UNLCK, F_WRLCK, O_RDWR } from "../abi/fcntl.ts";
import { done, FakeVfs } from "../fs/fake_vfs.ts";
import type { LockOwner } from "./caller.ts";
import {
  findConflict,
  locksOf,
  type RecordLock,
  setRecordLock,
  setWholeLock,
  startWaiting,
  stopWaiting,
} from "./file_lock.ts";
import type { Inode } from "./inode.ts";

function file(): { readonly fake: FakeVfs; readonly inode: Inode } {
  const fake = new FakeVfs();
  fake.write("f", "");
  return { fake, inode: done(fake.inode("f")) };
}

function owner(): LockOwner {
  return { waitsFor: null };
}

function lock(
  who: object,
  type: number,
  start: number,
  end = Infinity,
): RecordLock {
  return { owner: who, type, start, end, pid: 1 };
}

/** Ranges of an owner's locks as "type start-end". */
function held(inode: Inode, who: object): string[] {
  return locksOf(inode).records.filter((each) => each.owner === who)
    .map(({ type, start, end }) => `${type} ${start}-${end}`);
}

Deno.test("setRecordLock() lets readers share and writers exclude", () => {
  const { inode } = file();
  const [one, two] = [owner(), owner()];
  assertEquals(setRecordLock(inode, lock(one, F_RDLCK, 0, 9)), null);
  assertEquals(setRecordLock(inode, lock(two, F_RDLCK, 5, 9)), null);
  assertEquals(setRecordLock(inode, lock(two, F_WRLCK, 5, 9)), EAGAIN);
  assertEquals(setRecordLock(inode, lock(two, F_WRLCK, 10, 19)), null);
  const conflict = findConflict(inode, lock(one, F_RDLCK, 0));
  assertEquals([conflict?.start, conflict?.end], [10, 19]);
});

Deno.test("setRecordLock() splits, joins and replaces an owner's ranges", () => {
  const { inode } = file();
  const one = owner();
  setRecordLock(inode, lock(one, F_WRLCK, 0, 99));
  setRecordLock(inode, lock(one, F_UNLCK, 40, 59));
  assertEquals(held(inode, one), ["1 0-39", "1 60-99"]);
  setRecordLock(inode, lock(one, F_RDLCK, 30, 69));
  assertEquals(held(inode, one), ["1 0-29", "0 30-69", "1 70-99"]);
  setRecordLock(inode, lock(one, F_WRLCK, 30, 69));
  assertEquals(held(inode, one), ["1 0-99"]);
  setRecordLock(inode, lock(one, F_UNLCK, 0));
  assertEquals(inode.locks, null);
});

Deno.test("startWaiting() finds a circle of waits", () => {
  const { inode } = file();
  const [one, two, three] = [owner(), owner(), owner()];
  for (const [i, who] of [one, two, three].entries()) {
    setRecordLock(inode, lock(who, F_WRLCK, i, i));
  }
  const wait = (who: LockOwner, at: number) =>
    startWaiting(who, findConflict(inode, lock(who, F_WRLCK, at, at))!);
  assertEquals(wait(one, 1), null);
  assertEquals(wait(two, 2), null);
  assertEquals(wait(three, 0), EDEADLK);
  stopWaiting(two);
  assertEquals(wait(three, 0), null);
});

Deno.test("close() of any descriptor drops the process's record locks", () => {
  const { fake, inode } = file();
  const [one, two] = [
    done(fake.open("f", O_RDWR)),
    done(fake.open("f", O_RDWR)),
  ];
  const { lockOwner } = fake.caller;
  setRecordLock(inode, lock(lockOwner, F_WRLCK, 0));
  two.flush(fake.caller);
  two.release();
  assertEquals(held(inode, lockOwner), []);
  one.release();
});

Deno.test("setWholeLock() belongs to the open file until its last close", () => {
  const { fake, inode } = file();
  const [one, two] = [
    done(fake.open("f", O_RDWR)),
    done(fake.open("f", O_RDWR)),
  ];
  assertEquals(setWholeLock(inode, one, F_RDLCK), null);
  assertEquals(setWholeLock(inode, two, F_RDLCK), null);
  assertEquals(setWholeLock(inode, two, F_WRLCK), EAGAIN);
  // The attempt gave its shared lock up.
  assertEquals(setWholeLock(inode, one, F_WRLCK), null);
  assertEquals(setWholeLock(inode, two, F_RDLCK), EAGAIN);
  one.acquire().release();
  assertEquals(setWholeLock(inode, two, F_RDLCK), EAGAIN);
  one.release();
  assertEquals(setWholeLock(inode, two, F_WRLCK), null);
  two.release();
  assertEquals(inode.locks, null);
});
