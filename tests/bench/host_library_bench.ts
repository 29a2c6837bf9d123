/**
 * What calls into the host library cost: the numbers that decide what is done
 * in C and what in TypeScript (ffi/README.md).
 * @module
 */

import { Clock } from "../../ffi/clock.ts";
import { DescriptorMaker, Files } from "../../ffi/files.ts";
import { MemoryFile } from "../../ffi/memory_file.ts";
import { Reactor } from "../../ffi/reactor.ts";

const FAR = 2 ** 36; // beyond the fast path of typed-array indices

const memory = new MemoryFile();
const files = new Files(memory);
const clock = new Clock();
const maker = new DescriptorMaker();
const reactor = new Reactor();
const [reader, writer] = maker.pipe();
const zero = maker.open("/dev/zero", 0);

for (const length of [64, 4096, 65536]) {
  const bytes = new Uint8Array(length);
  const group = `${length} bytes`;
  Deno.bench(`zero() ${length}`, { group }, () => {
    memory.zero(FAR, length);
  });
  Deno.bench(`fill() ${length}`, { group }, () => {
    memory.bytes.fill(0, FAR, FAR + length);
  });
  Deno.bench(`copy() ${length}`, { group }, () => {
    memory.copy(FAR, FAR + 2 ** 20, length);
  });
  Deno.bench(`copyWithin() ${length}`, { group }, () => {
    memory.bytes.copyWithin(FAR, FAR + 2 ** 20, FAR + 2 ** 20 + length);
  });
  Deno.bench(`read() ${length}`, { group }, () => {
    memory.read(FAR, bytes);
  });
  Deno.bench(`write() ${length}`, { group }, () => {
    memory.write(FAR, bytes);
  });
}

Deno.bench("punch() and populate() a page", () => {
  memory.punch(FAR, 4096);
  memory.populate(FAR, 4096);
});
Deno.bench("monotonicNs()", () => {
  clock.monotonicNs();
});
Deno.bench("sampleTsc()", () => {
  clock.sampleTsc();
});
Deno.bench("read() of 4 KiB from /dev/zero", () => {
  files.read(zero, FAR, 4096, 0);
});
Deno.bench("write() and read() of a byte through a pipe", () => {
  files.write(writer, FAR, 1, -1);
  files.read(reader, FAR, 1, -1);
});
Deno.bench("next() of an idle reactor", () => {
  reactor.next();
});
