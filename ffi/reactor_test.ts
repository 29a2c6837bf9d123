/**
 * The reactor thread: readiness, signals, the doorbell.
 * @module
 */

import { assert, assertEquals, assertThrows } from "@std/assert";
import type { HostFd } from "../kernel/host.ts";
import { DescriptorMaker } from "./files.ts";
import { HostError } from "./library.ts";
import { Reactor } from "./reactor.ts";

const POLLIN = 1;
const POLLOUT = 4;
const POLLHUP = 16;
const SIGUSR2 = 12;
const SIGWINCH = 28;
const SIGRTMAX = 64;
/** Far longer than any of these waits takes: a bound on a broken reactor. */
const PATIENCE_MS = 10_000;

/** The next token, slept for. */
function nextToken(reactor: Reactor): number {
  for (let i = 0; i < 100; i++) {
    const token = reactor.next();
    if (token !== -1) return token;
    reactor.wait(PATIENCE_MS);
  }
  return -1;
}

const BYTE = new Uint8Array([1]);

Deno.test("watch() tells readiness now, next() tells it later", () => {
  using maker = new DescriptorMaker();
  using reactor = new Reactor();
  const [reader, writer] = maker.pipe();
  assertEquals(reactor.watch(reader, POLLIN, 7), 0);
  assertEquals(reactor.watch(writer, POLLOUT, 8), POLLOUT);
  assertEquals(nextToken(reactor), 8); // ready when it was added
  assertEquals(reactor.next(), -1);
  maker.write(writer, BYTE);
  assertEquals(nextToken(reactor), 7);
  assertEquals(reactor.revents, POLLIN);
  assertEquals(reactor.next(), -1);
  reactor.unwatch(writer);
  maker.close(writer);
  assertEquals(nextToken(reactor), 7);
  assertEquals(reactor.revents & POLLHUP, POLLHUP);
  reactor.unwatch(reader);
  maker.close(reader);
});

Deno.test("next() names a slot once, whatever came in between", () => {
  using maker = new DescriptorMaker();
  using reactor = new Reactor();
  const [reader, writer] = maker.pipe();
  const [otherReader, otherWriter] = maker.pipe();
  reactor.watch(reader, POLLIN, 1);
  reactor.watch(otherReader, POLLIN, 2);
  for (let i = 0; i < 100; i++) maker.write(writer, BYTE);
  maker.write(otherWriter, BYTE);
  const seen: number[] = [];
  while (!seen.includes(2)) seen.push(nextToken(reactor));
  // The hundred edges came in at most a few wake-ups, and none is left over.
  assert(seen.filter((token) => token === 1).length >= 1);
  for (const fd of [reader, writer, otherReader, otherWriter]) {
    reactor.unwatch(fd);
    maker.close(fd);
  }
});

Deno.test("unwatch() silences a descriptor, even one with an event waiting", () => {
  using maker = new DescriptorMaker();
  using reactor = new Reactor();
  const [reader, writer] = maker.pipe();
  const [otherReader, otherWriter] = maker.pipe();
  reactor.watch(reader, POLLIN, 1);
  maker.write(writer, BYTE);
  reactor.wait(PATIENCE_MS);
  reactor.unwatch(reader);
  reactor.watch(otherReader, POLLIN, 2);
  maker.write(otherWriter, BYTE);
  assertEquals(nextToken(reactor), 2);
  for (const fd of [reader, writer, otherReader, otherWriter]) {
    reactor.unwatch(fd);
    maker.close(fd);
  }
});

Deno.test("watch() replaces token and events of a watched descriptor", () => {
  using maker = new DescriptorMaker();
  using reactor = new Reactor();
  const [reader, writer] = maker.pipe();
  reactor.watch(reader, POLLIN, 1);
  reactor.watch(reader, POLLIN, 5);
  maker.write(writer, BYTE);
  assertEquals(nextToken(reactor), 5);
  reactor.unwatch(reader);
  maker.close(reader);
  maker.close(writer);
});

Deno.test("watch() calls regular files ready and refuses bad descriptors", () => {
  using maker = new DescriptorMaker();
  using reactor = new Reactor();
  const path = Deno.makeTempFileSync();
  const fd = maker.open(path, 0);
  assertEquals(reactor.watch(fd, POLLIN | POLLOUT, 1), POLLIN | POLLOUT);
  reactor.unwatch(fd);
  maker.close(fd);
  Deno.removeSync(path);
  assertEquals(reactor.watch(999_999 as HostFd, POLLIN, 1), -9);
});

Deno.test("the ring survives many more events than it has places", () => {
  using maker = new DescriptorMaker();
  using reactor = new Reactor();
  const [reader, writer] = maker.pipe();
  reactor.watch(reader, POLLIN, 3);
  for (let i = 0; i < 20_000; i++) {
    maker.write(writer, BYTE);
    assertEquals(nextToken(reactor), 3);
    maker.read(reader, BYTE);
  }
  reactor.unwatch(reader);
  maker.close(reader);
  maker.close(writer);
});

Deno.test("catchSignals() reports each signal once under its token", () => {
  using reactor = new Reactor();
  reactor.catchSignals([SIGUSR2, SIGWINCH, SIGRTMAX], 99);
  Deno.kill(Deno.pid, "SIGWINCH");
  assertEquals(nextToken(reactor), 99);
  assertEquals(reactor.takeSignal(), SIGWINCH);
  assertEquals(reactor.takeSignal(), 0);
  Deno.kill(Deno.pid, "SIGUSR2");
  assertEquals(nextToken(reactor), 99);
  assertEquals(reactor.takeSignal(), SIGUSR2);
  using other = new Reactor();
  assertThrows(() => other.catchSignals([SIGUSR2], 1), HostError, "EBUSY");
});

Deno.test("Reactor rings the doorbell that it was given", () => {
  // sem_post(3) on a semaphore of our own: any void (*)(void *) will do.
  const library = Deno.dlopen("libc.so.6", { sem_post: { type: "pointer" } });
  const ring = library.symbols.sem_post as Deno.PointerValue;
  const semaphore = new Int32Array(8);
  using maker = new DescriptorMaker();
  {
    using reactor = new Reactor({
      ring,
      argument: Deno.UnsafePointer.of(semaphore),
    });
    const [reader, writer] = maker.pipe();
    reactor.watch(reader, POLLIN, 1);
    maker.write(writer, BYTE);
    assertEquals(nextToken(reactor), 1);
    reactor.unwatch(reader);
    maker.close(reader);
    maker.close(writer);
  } // the thread has ended, so its last call is over
  assert((semaphore[0] ?? 0) >= 1);
  library.close();
});
