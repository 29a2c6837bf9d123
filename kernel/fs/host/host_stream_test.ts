import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import {
  EAGAIN,
  EINVAL,
  EPERM,
  EPIPE,
  ESPIPE,
  isErrno,
} from "../../abi/errno.ts";
import {
  O_APPEND,
  O_RDONLY,
  O_RDWR,
  O_WRONLY,
  SEEK_END,
  SEEK_SET,
} from "../../abi/fcntl.ts";
import { POLLHUP, POLLIN, POLLOUT } from "../../abi/poll.ts";
import { SIGPIPE } from "../../abi/signal.ts";
import { S_IFIFO, S_IFREG } from "../../abi/stat.ts";
import { Waiter } from "../../sync/wait_queue.ts";
import { FakeCaller } from "../fake_caller.ts";
import { FakeHostFiles, FakeStream } from "./fake_host.ts";
import { HostReadiness } from "./host_readiness.ts";
import { HostStreams } from "./host_stream.ts";

class CountingWaiter extends Waiter {
  count = 0;
  override notify(): boolean {
    this.count++;
    return true;
  }
}

function setUp(stream: FakeStream, flags: number) {
  const caller = new FakeCaller();
  const host = new FakeHostFiles(caller.host);
  const fd = host.add(5, stream);
  const readiness = new HostReadiness(host);
  const { clock } = caller;
  const streams = new HostStreams({ files: host, readiness, clock, device: 9 });
  const file = streams.open(fd, flags);
  assert(!isErrno(file));
  return { caller, host, fd, readiness, file };
}

Deno.test("HostStreamDescription waits for host input and passes it on", () => {
  const { caller, host, fd, readiness, file } = setUp(
    new FakeStream(S_IFIFO | 0o600),
    O_RDONLY,
  );
  assertStrictEquals(file.read(caller.room(8), caller), EAGAIN);
  const waiter = new CountingWaiter();
  file.queue.add(waiter, POLLIN);
  host.feed(fd, "hello");
  assertEquals(waiter.count, 0);
  readiness.drain();
  assertEquals(waiter.count, 1);
  assertEquals(file.readiness() & POLLIN, POLLIN);
  assertEquals(file.read(caller.room(3), caller), 3);
  assertEquals(caller.text(3), "hel");
  assertEquals(file.read(caller.room(8), caller), 2);
  host.streams.get(fd)!.isInputClosed = true;
  assertEquals(file.readiness() & POLLHUP, POLLHUP);
  assertEquals(file.read(caller.room(8), caller), 0);
  assertStrictEquals(file.seek(0, 0), ESPIPE);
});

Deno.test("HostStreamDescription writes in part, and SIGPIPEs", () => {
  const stream = new FakeStream(S_IFIFO | 0o600);
  const { caller, file } = setUp(stream, O_WRONLY);
  stream.room = 4;
  assertEquals(file.write(caller.source("abcdef"), caller), 4);
  assertStrictEquals(file.write(caller.source("ef"), caller), EAGAIN);
  assertEquals(stream.written, "abcd");
  stream.isBroken = true;
  assertStrictEquals(file.write(caller.source("ef"), caller), EPIPE);
  assertEquals(caller.raised, [SIGPIPE]);
});

Deno.test("HostStreamDescription closes the host descriptor with its last user", () => {
  const stream = new FakeStream(S_IFREG | 0o644, true);
  const { caller, file } = setUp(stream, O_WRONLY);
  assertEquals(file.readiness(), POLLIN | POLLOUT);
  assertEquals(file.inode.refresh(), null);
  assertEquals(file.inode.mtime.sec, 2);
  const again = file.inode.open(file.path, O_WRONLY, caller);
  assert(!isErrno(again));
  file.release();
  assertEquals(stream.isClosed, false);
  assertEquals(again.write(caller.source("x"), caller), 1);
  again.release();
  assertEquals(stream.isClosed, true);
});

Deno.test("A host file opened again has a position and a size of its own", () => {
  const stream = new FakeStream(S_IFREG | 0o644, true);
  const { caller, file } = setUp(stream, O_WRONLY);
  file.write(caller.source("first"), caller);
  const again = file.inode.open(file.path, O_RDWR, caller);
  assert(!isErrno(again));
  assertEquals(again.truncate(2, caller), null);
  assertEquals(file.inode.size, 2);
  assertEquals(again.write(caller.source("xyz"), caller), 3);
  assertEquals(stream.written, "xyz");
  assertEquals(again.seek(1, SEEK_SET), 1);
  assertEquals(again.read(caller.room(9), caller), 2);
  assertEquals(caller.text(2), "yz");
  assertStrictEquals(again.seek(-9, SEEK_END), EINVAL);
  again.flags |= O_APPEND;
  again.seek(0, SEEK_SET);
  again.write(caller.source("!"), caller);
  assertEquals(stream.written, "xyz!");
  assertStrictEquals(file.inode.setAttributes({ mode: 0 }), EPERM);
});
