import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { EAGAIN, EBUSY, EFAULT, ENXIO, EPERM, EPIPE } from "../abi/errno.ts";
import {
  O_DIRECT,
  O_NONBLOCK,
  O_RDONLY,
  O_RDWR,
  O_WRONLY,
} from "../abi/fcntl.ts";
import { FIONREAD } from "../abi/ioctl.ts";
import { POLLERR, POLLHUP, POLLIN, POLLOUT } from "../abi/poll.ts";
import { SIGPIPE } from "../abi/signal.ts";
import { S_IFIFO } from "../abi/stat.ts";
import { Waiter } from "../sync/wait_queue.ts";
import { FileDescription } from "../vfs/file_description.ts";
import { Inode } from "../vfs/inode.ts";
import { FakeCaller, FakeIdentity, GUEST_END } from "./fake_caller.ts";
import { PipeDescription, PipeFileSystem } from "./pipefs.ts";

class CountingWaiter extends Waiter {
  events = 0;
  count = 0;
  override notify(events: number): boolean {
    this.events |= events;
    this.count++;
    return true;
  }
}

class NamedFifo extends Inode {}

function setUp() {
  const caller = new FakeCaller();
  const pipes = new PipeFileSystem({
    memory: caller.host,
    pages: caller.host,
    clock: caller.clock,
    device: 12,
  });
  return { caller, pipes };
}

function asPipe(file: FileDescription): PipeDescription {
  assert(file instanceof PipeDescription);
  return file;
}

Deno.test("Pipe passes bytes on in order and is empty afterwards", () => {
  const { caller, pipes } = setUp();
  const { reader, writer } = pipes.open(0);
  assertEquals(reader.path.dentry.name, `pipe:[${reader.inode.ino}]`);
  assertStrictEquals(reader.read(caller.room(8), caller), EAGAIN);
  assertEquals(writer.write(caller.source("hello"), caller), 5);
  assertEquals(writer.write(caller.source(" you"), caller), 4);
  assertEquals(reader.ioctl(FIONREAD, 64, caller), 0);
  assertEquals(caller.memory.readU32(64), 9);
  assertEquals(reader.read(caller.room(7), caller), 7);
  assertEquals(caller.text(7), "hello y");
  assertEquals(reader.read(caller.room(7), caller), 2);
  assertEquals(caller.text(2), "ou");
  assertStrictEquals(reader.read(caller.room(8), caller), EAGAIN);
});

Deno.test("Pipe holds 64 KiB, wraps, and keeps PIPE_BUF writes whole", () => {
  const { caller, pipes } = setUp();
  const { reader, writer } = pipes.open(0);
  assertEquals(writer.write(caller.source("a".repeat(65000)), caller), 65000);
  assertEquals(writer.readiness() & POLLOUT, 0);
  assertStrictEquals(
    writer.write(caller.source("b".repeat(4096)), caller),
    EAGAIN,
  );
  // More than PIPE_BUF may be split.
  assertEquals(writer.write(caller.source("c".repeat(5000)), caller), 536);
  assertStrictEquals(writer.write(caller.source("d"), caller), EAGAIN);
  assertEquals(reader.read(caller.room(64000), caller), 64000);
  assertEquals(writer.readiness() & POLLOUT, POLLOUT);
  assertEquals(writer.write(caller.source("e".repeat(9000)), caller), 9000);
  assertEquals(reader.read(caller.room(70000), caller), 10536);
  assertEquals(
    caller.text(10536),
    "a".repeat(1000) + "c".repeat(536) + "e".repeat(9000),
  );
});

Deno.test("Pipe readiness follows data and the other end", () => {
  const { caller, pipes } = setUp();
  const { reader, writer } = pipes.open(0);
  const waiter = new CountingWaiter();
  reader.queue.add(waiter, POLLIN | POLLHUP);
  assertEquals(reader.readiness() & (POLLIN | POLLHUP), 0);
  writer.write(caller.source("x"), caller);
  assertEquals(waiter.count, 1);
  assertEquals(reader.readiness() & (POLLIN | POLLHUP), POLLIN);
  writer.release();
  assert((waiter.events & POLLHUP) !== 0);
  assertEquals(reader.readiness() & (POLLIN | POLLHUP), POLLIN | POLLHUP);
  assertEquals(reader.read(caller.room(8), caller), 1);
  assertEquals(reader.read(caller.room(8), caller), 0);
  assertEquals(reader.readiness() & (POLLIN | POLLHUP), POLLHUP);
});

Deno.test("Pipe write without a reader raises SIGPIPE and POLLERR", () => {
  const { caller, pipes } = setUp();
  const { reader, writer } = pipes.open(0);
  writer.write(caller.source("lost"), caller);
  reader.release();
  assertEquals(writer.readiness() & POLLERR, POLLERR);
  assertEquals(writer.write(caller.source(""), caller), 0);
  assertStrictEquals(writer.write(caller.source("x"), caller), EPIPE);
  assertEquals(caller.raised, [SIGPIPE]);
  writer.release();
  assertEquals(caller.host.allocated, 0);
});

Deno.test("Pipe write reports a fault at the first byte only", () => {
  const { caller, pipes } = setUp();
  const { reader, writer } = pipes.open(0);
  const crossing = caller.memory.buffer(GUEST_END - 3, 8);
  assert(!(crossing instanceof Error) && "run" in crossing);
  assertEquals(writer.write(crossing, caller), 3);
  const bad = caller.memory.buffer(GUEST_END, 8);
  assert("run" in bad);
  assertStrictEquals(writer.write(bad, caller), EFAULT);
  const badRoom = caller.memory.buffer(GUEST_END, 8);
  assert("run" in badRoom);
  assertStrictEquals(reader.read(badRoom, caller), EFAULT);
  assertEquals(reader.read(caller.room(8), caller), 3);
});

Deno.test("O_DIRECT keeps packets apart and drops what a read left", () => {
  const { caller, pipes } = setUp();
  const { reader, writer } = pipes.open(O_DIRECT);
  writer.write(caller.source("one"), caller);
  writer.write(caller.source("two"), caller);
  writer.write(caller.source("z".repeat(5000)), caller);
  assertEquals(reader.read(caller.room(64), caller), 3);
  assertEquals(reader.read(caller.room(2), caller), 2);
  assertEquals(reader.read(caller.room(9000), caller), 4096);
  assertEquals(reader.read(caller.room(9000), caller), 904);
  for (let i = 0; i < 16; i++) {
    assertEquals(writer.write(caller.source("p"), caller), 1);
  }
  assertStrictEquals(writer.write(caller.source("p"), caller), EAGAIN);
  assertEquals(writer.readiness() & POLLOUT, 0);
});

Deno.test("F_SETPIPE_SZ rounds up, keeps data, and knows its limits", () => {
  const { caller, pipes } = setUp();
  const ends = pipes.open(0);
  const writer = asPipe(ends.writer);
  writer.write(caller.source("a".repeat(60000)), caller);
  ends.reader.read(caller.room(59000), caller);
  writer.write(caller.source("b".repeat(9000)), caller);
  assertStrictEquals(writer.setCapacity(8192, caller), EBUSY);
  assertEquals(writer.setCapacity(12000, caller), 16384);
  assertEquals(ends.reader.read(caller.room(20000), caller), 10000);
  assertEquals(caller.text(10000), "a".repeat(1000) + "b".repeat(9000));
  caller.identity = new FakeIdentity(1000, 1000);
  assertStrictEquals(writer.setCapacity(2 << 20, caller), EPERM);
  assertEquals(writer.setCapacity(1 << 20, caller), 1 << 20);
  assertEquals(writer.setCapacity(0, caller), 4096);
});

Deno.test("openFifo() lets blocking opens of both ends meet", () => {
  const { caller, pipes } = setUp();
  const inode = new NamedFifo(pipes, 99, S_IFIFO, { sec: 0, nsec: 0 });
  const path = pipes.place(inode, "fifo").acquire();
  const other = new FakeCaller(caller.host);

  assertStrictEquals(
    pipes.openFifo(path, O_WRONLY | O_NONBLOCK, caller),
    ENXIO,
  );
  assertStrictEquals(pipes.openFifo(path, O_RDONLY, caller), EAGAIN);
  const parked = new CountingWaiter();
  inode.queue.add(parked, 1);

  const writer = pipes.openFifo(path, O_WRONLY, other);
  assert(writer instanceof FileDescription);
  assertEquals(parked.count, 1);
  inode.queue.remove(parked);
  // The writer may be gone before the reader runs: its open still succeeds.
  writer.write(other.source("x"), other);
  writer.release();
  const reader = pipes.openFifo(path, O_RDONLY, caller);
  assert(reader instanceof FileDescription);
  reader.release();

  // An interrupted open does not count as a reader.
  assertStrictEquals(pipes.openFifo(path, O_RDONLY, caller), EAGAIN);
  assertStrictEquals(
    pipes.openFifo(path, O_WRONLY | O_NONBLOCK, other),
    ENXIO,
  );
  const both = pipes.openFifo(path, O_RDWR, other);
  assert(both instanceof FileDescription);
  assertEquals(both.write(other.source("self"), other), 4);
  assertEquals(both.read(other.room(9), other), 4);
});

Deno.test("A FIFO opened O_NONBLOCK has no POLLHUP before its first writer", () => {
  const { caller, pipes } = setUp();
  const inode = new NamedFifo(pipes, 99, S_IFIFO, { sec: 0, nsec: 0 });
  const path = pipes.place(inode, "fifo").acquire();
  const reader = pipes.openFifo(path, O_RDONLY | O_NONBLOCK, caller);
  assert(reader instanceof FileDescription);
  assertEquals(reader.readiness(), 0);
  assertEquals(reader.read(caller.room(1), caller), 0);
  const writer = pipes.openFifo(path, O_WRONLY, caller);
  assert(writer instanceof FileDescription);
  writer.release();
  assertEquals(reader.readiness(), POLLHUP);
});
