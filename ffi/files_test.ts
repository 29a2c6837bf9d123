/**
 * Descriptors of the host: data into the memory file, streams that do not
 * block, private open files, terminals.
 * @module
 */

import { assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import type { HostFd } from "../kernel/host.ts";
import { DescriptorMaker, Files } from "./files.ts";
import { HostError } from "./library.ts";
import { MemoryFile } from "./memory_file.ts";
import { Terminals } from "./terminals.ts";

const O_RDWR = 2;
const O_CREAT = 0o100;
const EAGAIN = -11;
const EPIPE = -32;
const EBADF = -9;
const ENOTTY = -25;

class Fixture implements Disposable {
  readonly memory = new MemoryFile(2 ** 24);
  readonly files = new Files(this.memory);
  readonly maker = new DescriptorMaker();
  readonly dir = Deno.makeTempDirSync();
  readonly #fds: HostFd[] = [];

  /** Closed when the test ends. */
  own(...fds: HostFd[]): void {
    this.#fds.push(...fds);
  }
  temporary(): HostFd {
    const fd = this.maker.open(`${this.dir}/f`, O_RDWR | O_CREAT);
    this.own(fd);
    return fd;
  }
  pipe(): readonly [HostFd, HostFd] {
    const ends = this.maker.pipe();
    this.own(...ends);
    return ends;
  }
  text(offset: number, length: number): string {
    return new TextDecoder().decode(
      this.memory.bytes.slice(offset, offset + length),
    );
  }
  put(offset: number, text: string): number {
    const bytes = new TextEncoder().encode(text);
    this.memory.write(offset, bytes);
    return bytes.length;
  }
  [Symbol.dispose](): void {
    for (const fd of this.#fds) this.maker.close(fd);
    this.maker[Symbol.dispose]();
    this.files[Symbol.dispose]();
    this.memory[Symbol.dispose]();
    Deno.removeSync(this.dir, { recursive: true });
  }
}

function flagsOf(fd: number): number {
  const text = Deno.readTextFileSync(`/proc/self/fdinfo/${fd}`);
  return parseInt(/^flags:\s*([0-7]+)$/m.exec(text)?.[1] ?? "", 8);
}

Deno.test("read() and write() move data at an offset of a file", () => {
  using t = new Fixture();
  const fd = t.temporary();
  t.put(8192, "hello, world");
  assertEquals(t.files.write(fd, 8192, 12, 100), 12);
  assertEquals(t.files.read(fd, 0, 4096, 107), 5);
  assertEquals(t.text(0, 5), "world");
  assertEquals(t.files.read(fd, 0, 4096, 112), 0);
});

Deno.test("read() and write() refuse a range outside the window", () => {
  using t = new Fixture();
  const fd = t.temporary();
  assertEquals(t.files.write(fd, 2 ** 24 - 1, 2, 0), -22);
  assertEquals(t.files.read(fd, NaN, 1, 0), -22);
  assertEquals(t.files.read(fd, -1, 1, 0), -22);
});

Deno.test("stat() tells size, mode and times", () => {
  using t = new Fixture();
  const fd = t.temporary();
  assertEquals(t.files.truncate(fd, 12345), 0);
  const stat = t.files.stat(fd);
  if (typeof stat === "number") throw new Error(`${stat}`);
  const expected = Deno.statSync(`${t.dir}/f`);
  assertEquals(stat.size, 12345);
  assertEquals(stat.mode, expected.mode);
  assertEquals(stat.ino, expected.ino);
  assertEquals(stat.dev, expected.dev);
  assertEquals(
    Math.floor(stat.mtimeSec * 1e3 + stat.mtimeNsec / 1e6),
    expected.mtime?.getTime(),
  );
  assertEquals(t.files.stat(999999 as HostFd), EBADF);
});

Deno.test("allocate() and sync() pass the host's result on", () => {
  using t = new Fixture();
  const fd = t.temporary();
  assertEquals(t.files.allocate(fd, 0, 0, 8192), 0);
  assertEquals(Deno.statSync(`${t.dir}/f`).size, 8192);
  assertEquals(t.files.sync(fd, true), 0);
  assertEquals(t.files.sync(fd, false), 0);
  const [reader] = t.pipe();
  assertEquals(t.files.sync(reader, false), -22);
});

Deno.test("read() of an empty blocking pipe returns EAGAIN", () => {
  using t = new Fixture();
  const [reader, writer] = t.pipe();
  assertEquals(flagsOf(reader) & 0o4000, 0);
  assertEquals(t.files.read(reader, 0, 10, -1), EAGAIN);
  t.put(0, "abc");
  assertEquals(t.files.write(writer, 0, 3, -1), 3);
  assertEquals(t.files.read(reader, 4096, 10, -1), 3);
  assertEquals(t.text(4096, 3), "abc");
});

Deno.test("write() to a full blocking pipe returns EAGAIN, never waits", () => {
  using t = new Fixture();
  const [, writer] = t.pipe();
  let total = 0;
  for (;;) {
    const n = t.files.write(writer, 0, 100_000, -1);
    if (n < 0) {
      assertEquals(n, EAGAIN);
      break;
    }
    total += n;
  }
  assertEquals(total, 65536);
});

Deno.test("write() to a pipe without readers returns EPIPE", () => {
  using t = new Fixture();
  const [reader, writer] = t.maker.pipe();
  t.own(writer);
  t.maker.close(reader);
  assertEquals(t.files.write(writer, 0, 1, -1), EPIPE);
});

Deno.test("read() at -1 follows the shared offset of a regular file", () => {
  using t = new Fixture();
  const fd = t.temporary();
  t.put(0, "onetwo");
  assertEquals(t.files.write(fd, 0, 3, -1), 3);
  assertEquals(t.files.write(fd, 3, 3, -1), 3);
  assertEquals(t.files.read(fd, 0, 10, -1), 0);
  assertEquals(t.files.read(fd, 100, 10, 0), 6);
  assertEquals(t.text(100, 6), "onetwo");
});

Deno.test("privateStream() leaves the flags of the shared pipe alone", () => {
  using t = new Fixture();
  const [reader, writer] = t.pipe();
  const own = t.maker.privateStream(reader);
  t.own(own);
  assertNotEquals(own, reader);
  assertEquals(flagsOf(own) & 0o4000, 0o4000);
  assertEquals(flagsOf(reader) & 0o4000, 0);
  t.put(0, "x");
  t.files.write(writer, 0, 1, -1);
  assertEquals(t.files.read(own, 1, 1, -1), 1);
  assertEquals(t.files.read(own, 1, 1, -1), EAGAIN);
});

Deno.test("privateStream() returns what it cannot open again", () => {
  using t = new Fixture();
  const fd = t.temporary();
  assertEquals(t.maker.privateStream(fd), fd);
});

Deno.test("a terminal does not block, has a size and modes", () => {
  using t = new Fixture();
  using terminals = new Terminals();
  const [master, slave] = terminals.openPair();
  t.own(master, slave);
  assertEquals(t.files.isTerminal(slave), true);
  assertEquals(t.files.isTerminal(t.temporary()), false);
  assertEquals(t.files.setWindowSize(master, [24, 80, 1, 2]), 0);
  assertEquals(t.files.getWindowSize(slave), [24, 80, 1, 2]);
  assertEquals(t.files.getWindowSize(t.temporary()), ENOTTY);

  assertEquals(t.files.read(slave, 0, 100, -1), EAGAIN);
  t.put(0, "line\n");
  assertEquals(t.files.write(master, 0, 5, -1), 5);
  assertEquals(t.files.read(slave, 100, 100, -1), 5);
  assertEquals(t.text(100, 5), "line\n");
  assertEquals(t.files.read(slave, 0, 100, -1), EAGAIN);
});

Deno.test("write() to a stopped terminal returns EAGAIN, never waits", () => {
  using t = new Fixture();
  using terminals = new Terminals();
  const [master, slave] = terminals.openPair();
  t.own(master, slave);
  let rounds = 0;
  // Nobody reads the master: its buffer fills.
  while (t.files.write(slave, 0, 1 << 16, -1) > 0) rounds++;
  assertEquals(rounds > 0, true);
  assertEquals(t.files.write(slave, 0, 1, -1), EAGAIN);
});

Deno.test("privateStream() opens a terminal again without taking it over", () => {
  using t = new Fixture();
  using terminals = new Terminals();
  const [master, slave] = terminals.openPair();
  t.own(master, slave);
  const own = t.maker.privateStream(slave);
  t.own(own);
  assertNotEquals(own, slave);
  assertEquals(t.files.isTerminal(own), true);
  assertEquals(flagsOf(slave) & 0o4000, 0);
  assertEquals(t.maker.privateStream(master), master);
});

Deno.test("makeRaw() and restore() change and restore the modes", () => {
  using t = new Fixture();
  using terminals = new Terminals();
  const [master, slave] = terminals.openPair();
  t.own(master, slave);
  const before = new Uint8Array(36);
  const during = new Uint8Array(36);
  const after = new Uint8Array(36);
  t.files.getTermios(slave, before);
  const saved = terminals.makeRaw(slave);
  t.files.getTermios(slave, during);
  t.put(0, "a");
  assertEquals(t.files.write(master, 0, 1, -1), 1);
  assertEquals(t.files.read(slave, 1, 10, -1), 1, "no line is waited for");
  terminals.restore(slave, saved);
  t.files.getTermios(slave, after);
  assertNotEquals(during, before);
  assertEquals(after, before);
});

Deno.test("sealed() makes a file that cannot be changed", () => {
  using t = new Fixture();
  const fd = t.maker.sealed(new TextEncoder().encode("spec"));
  t.own(fd);
  const into = new Uint8Array(10);
  assertEquals(t.maker.read(fd, into), 4);
  assertEquals(t.maker.write(fd, into), -1);
});

Deno.test("open() names the path that failed", () => {
  using t = new Fixture();
  assertThrows(
    () => t.maker.open("/no/such/file", 0),
    HostError,
    "open /no/such/file: ENOENT",
  );
});
