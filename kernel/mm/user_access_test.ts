import { assert, assertEquals } from "@std/assert";
import { EFAULT, EINVAL, ENAMETOOLONG, isErrno } from "../abi/errno.ts";
import { PAGE_SIZE, PROT_NONE, PROT_READ } from "../abi/mman.ts";
import { BASE, FakeProcess } from "./_fake_process.ts";

/** Two pages side by side whose memory lies apart, then nothing. */
function twoPages() {
  const process = FakeProcess.create();
  process.map(PAGE_SIZE, { addr: BASE + PAGE_SIZE });
  process.map(PAGE_SIZE);
  process.map(PAGE_SIZE, { addr: BASE });
  return { process, memory: process.memory };
}

Deno.test("readU64() and writeU64() keep values and signs", () => {
  const { memory } = twoPages();
  for (
    const value of [0, 1, -1, -2, 2 ** 32, 2 ** 53 - 1, -(2 ** 40), -4096]
  ) {
    for (const addr of [BASE, BASE + PAGE_SIZE - 4, BASE + PAGE_SIZE - 1]) {
      assertEquals(memory.writeU64(addr, value), null);
      assertEquals(memory.readI64(addr), value);
    }
  }
  memory.writeU64(BASE, -1);
  assertEquals(memory.readU64(BASE), 2 ** 64);
  assertEquals(memory.readU32(BASE), 0xffffffff);
  assertEquals(memory.readI32(BASE), -1);
});

Deno.test("words that cross into another page are whole", () => {
  const { memory } = twoPages();
  const addr = BASE + PAGE_SIZE - 1;
  assertEquals(memory.writeU16(addr, 0xabcd), null);
  assertEquals(memory.readU16(addr), 0xabcd);
  assertEquals(memory.writeU32(addr - 1, 0x89abcdef), null);
  assertEquals(memory.readU32(addr - 1), 0x89abcdef);
  assertEquals(memory.readI32(addr - 1), 0x89abcdef | 0);
});

Deno.test("words that cross into nothing fault and store nothing", () => {
  const { memory } = twoPages();
  const addr = BASE + 2 * PAGE_SIZE - 2;
  assertEquals(memory.writeU16(addr, 0x1111), null);
  assertEquals(memory.readU32(addr), EFAULT);
  assertEquals(memory.writeU32(addr, 0x22222222), EFAULT);
  assertEquals(memory.writeU64(addr - 4, 0), EFAULT);
  assertEquals(memory.readU16(addr), 0x1111);
});

Deno.test("addresses that no guest can have fault", () => {
  const { memory } = twoPages();
  for (const addr of [2 ** 47, 2 ** 63, 2 ** 64, 0, 8]) {
    assertEquals(memory.readU8(addr), EFAULT);
    assertEquals(memory.writeU32(addr, 1), EFAULT);
  }
  assertEquals(isErrno(memory.buffer(2 ** 63, 8)), true);
});

Deno.test("rights are those of the VMA", () => {
  const { memory } = twoPages();
  memory.writeU32(BASE, 5);
  memory.protect(BASE, PAGE_SIZE, PROT_READ);
  assertEquals(memory.readU32(BASE), 5);
  assertEquals(memory.writeU32(BASE, 6), EFAULT);
  assertEquals(memory.writeForced(BASE, Uint8Array.of(7)), null);
  assertEquals(memory.readU32(BASE), 7);
  memory.protect(BASE, PAGE_SIZE, PROT_NONE);
  assertEquals(memory.readU32(BASE), EFAULT);
});

Deno.test("readBytes() and writeBytes() cross pages, or fault", () => {
  const { memory } = twoPages();
  const bytes = Uint8Array.from({ length: 5000 }, (_, i) => i & 0xff);
  assertEquals(memory.writeBytes(BASE + 1000, bytes), null);
  const back = new Uint8Array(5000);
  assertEquals(memory.readBytes(BASE + 1000, back), null);
  assertEquals(back, bytes);
  assertEquals(memory.writeBytes(BASE + PAGE_SIZE, bytes), EFAULT);
  assertEquals(memory.readBytes(BASE + PAGE_SIZE, back), EFAULT);
  assertEquals(memory.readBytes(BASE + 9 * PAGE_SIZE, new Uint8Array(0)), null);
});

Deno.test("readString() ends at NUL, at its limit, or at a fault", () => {
  const { memory } = twoPages();
  const text = "x".repeat(300) + "\xff\x80";
  const at = BASE + PAGE_SIZE - 150;
  const bytes = Uint8Array.from(text + "\0", (c) => c.charCodeAt(0));
  memory.writeBytes(at, bytes);
  assertEquals(memory.readString(at, 4096, ENAMETOOLONG), text);
  assertEquals(memory.readString(at, 303, ENAMETOOLONG), text);
  assertEquals(memory.readString(at, 302, ENAMETOOLONG), ENAMETOOLONG);
  assertEquals(memory.readString(at + 302, 1, ENAMETOOLONG), "");
  const end = BASE + 2 * PAGE_SIZE;
  memory.writeBytes(end - 3, Uint8Array.of(65, 66, 67));
  assertEquals(memory.readString(end - 3, 4096, ENAMETOOLONG), EFAULT);
  assertEquals(memory.readString(end - 3, 3, ENAMETOOLONG), ENAMETOOLONG);
});

Deno.test("vector() checks its ranges before anything moves", () => {
  const { memory } = twoPages();
  const iov = BASE + 512;
  const put = (...ranges: [number, number][]) => {
    for (const [i, [base, length]] of ranges.entries()) {
      memory.writeU64(iov + 16 * i, base);
      memory.writeU64(iov + 16 * i + 8, length);
    }
  };
  put([BASE, 10], [BASE + 100, -1]);
  assertEquals(memory.vector(iov, 2), EINVAL);
  put([BASE, 10], [2 ** 63, 10]);
  assertEquals(memory.vector(iov, 2), EFAULT);
  assertEquals(memory.vector(iov, 1025), EINVAL);
  assertEquals(memory.vector(2 ** 50, 1), EFAULT);
  const none = memory.vector(2 ** 50, 0);
  assert(!isErrno(none));
  assertEquals(none.remaining, 0);
});

Deno.test("a vector's cursor walks over ranges in both directions", () => {
  const { memory } = twoPages();
  const iov = BASE + 512;
  const parts: [number, number][] = [
    [BASE, 3],
    [BASE + 50, 0],
    [BASE + PAGE_SIZE - 2, 4],
    [BASE + 100, 5],
  ];
  for (const [i, [base, length]] of parts.entries()) {
    memory.writeU64(iov + 16 * i, base);
    memory.writeU64(iov + 16 * i + 8, length);
  }
  const io = memory.vector(iov, parts.length);
  assert(!isErrno(io));
  assertEquals(io.remaining, 12);
  const bytes = Uint8Array.from({ length: 12 }, (_, i) => i + 1);
  assertEquals(io.put(bytes, 0, 12), 12);
  assertEquals(io.remaining, 0);
  io.advance(-10);
  assertEquals(io.done, 2);
  const back = new Uint8Array(12);
  assertEquals(io.take(back, 0, 12), 10);
  assertEquals(back.subarray(0, 10), bytes.subarray(2));
  assertEquals(memory.readU8(BASE + PAGE_SIZE), 6);
  assertEquals(memory.readU8(BASE + 104), 12);
});

Deno.test("a cursor stops at the fault and says how far it came", () => {
  const { memory } = twoPages();
  const io = memory.buffer(BASE + 2 * PAGE_SIZE - 10, 100);
  assert(!isErrno(io));
  assertEquals(io.put(new Uint8Array(100), 0, 100), 10);
  assertEquals(io.put(new Uint8Array(100), 0, 90), EFAULT);
  assertEquals(io.remaining, 90);
});

Deno.test("compareExchangeU32() swaps only what it expects", () => {
  const { memory } = twoPages();
  memory.writeU32(BASE + 8, 0xfffffff0);
  assertEquals(memory.compareExchangeU32(BASE + 8, 1, 2), 0xfffffff0);
  assertEquals(memory.readU32(BASE + 8), 0xfffffff0);
  assertEquals(memory.compareExchangeU32(BASE + 8, 0xfffffff0, 2), 0xfffffff0);
  assertEquals(memory.readU32(BASE + 8), 2);
  assertEquals(memory.compareExchangeU32(BASE + 9, 2, 3), EFAULT);
});
