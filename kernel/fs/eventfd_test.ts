import { assertEquals, assertStrictEquals } from "@std/assert";
import { EAGAIN, EINVAL } from "../abi/errno.ts";
import { POLLIN, POLLOUT } from "../abi/poll.ts";
import { AnonInodes } from "./anon_inode.ts";
import { EventFdDescription } from "./eventfd.ts";
import { FakeCaller } from "./fake_caller.ts";

function setUp(initial: number, isSemaphore = false) {
  const caller = new FakeCaller();
  const inodes = new AnonInodes({ device: 13, clock: caller.clock });
  const isNonBlocking = false;
  const options = { initial, isSemaphore, isNonBlocking };
  const file = new EventFdDescription(inodes, options);
  const write = (high: number, low: number) => {
    caller.memory.writeU32(4096, low);
    caller.memory.writeU32(4100, high);
    const io = caller.source("");
    const bytes = caller.host.bytes.slice(4096, 4104);
    return file.write(
      caller.source(String.fromCharCode(...bytes)) ?? io,
    );
  };
  const read = () => {
    const result = file.read(caller.room(8));
    if (result !== 8) return result;
    const view = caller.host.view;
    return view.getBigUint64(1 << 19, true);
  };
  return { file, write, read, caller };
}

Deno.test("EventFdDescription read takes the whole count", () => {
  const { file, write, read, caller } = setUp(3);
  assertEquals(write(0, 4), 8);
  assertEquals(read(), 7n);
  assertStrictEquals(read(), EAGAIN);
  assertEquals(file.readiness(), POLLOUT);
  assertStrictEquals(file.read(caller.room(7)), EINVAL);
  assertStrictEquals(file.write(caller.source("1234567")), EINVAL);
});

Deno.test("EventFdDescription counts to 2^64 - 2 and no further", () => {
  const { file, write, read } = setUp(0);
  assertStrictEquals(write(0xffffffff, 0xffffffff), EINVAL);
  assertEquals(write(0xffffffff, 0xfffffffd), 8);
  assertEquals(file.readiness(), POLLIN | POLLOUT);
  assertEquals(write(0, 1), 8);
  assertEquals(file.readiness(), POLLIN);
  assertStrictEquals(write(0, 1), EAGAIN);
  assertEquals(file.counterText, "fffffffffffffffe");
  assertEquals(read(), 0xfffffffffffffffen);
});

Deno.test("EFD_SEMAPHORE gives one at a time, across the word border", () => {
  const { file, write, read } = setUp(0, true);
  write(1, 0);
  assertEquals(read(), 1n);
  assertEquals(file.counterText, "ffffffff");
  assertEquals(read(), 1n);
  assertEquals(file.counterText, "fffffffe");
});
