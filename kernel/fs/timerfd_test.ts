import { assertEquals, assertStrictEquals } from "@std/assert";
import { EAGAIN, EINVAL } from "../abi/errno.ts";
import { POLLIN } from "../abi/poll.ts";
import { CLOCK_MONOTONIC, CLOCK_REALTIME } from "../abi/time.ts";
import { TimerQueue } from "../time/timer_queue.ts";
import { AnonInodes } from "./anon_inode.ts";
import { FakeCaller } from "./fake_caller.ts";
import { TimerFdDescription } from "./timerfd.ts";

const ZERO = { sec: 0, nsec: 0 };

function setUp(clockId = CLOCK_MONOTONIC) {
  const caller = new FakeCaller();
  const timers = new TimerQueue();
  const inodes = new AnonInodes({ device: 1, clock: caller.clock });
  const services = { clock: caller.clock, timers };
  const file = new TimerFdDescription(inodes, services, { clockId, flags: 0 });
  /** Lets time pass and timers fire. */
  const pass = (ns: number) => {
    caller.hostClock.nowNs += ns;
    timers.expire(caller.hostClock.nowNs);
  };
  const read = () => {
    const result = file.read(caller.room(8));
    return result === 8 ? caller.memory.readU64(1 << 19) : result;
  };
  return { caller, timers, file, pass, read };
}

Deno.test("TimerFdDescription fires once after a relative time", () => {
  const { file, pass, read, caller } = setUp();
  file.set({ sec: 1, nsec: 5 }, ZERO, { isAbsolute: false });
  assertEquals(file.setting, { valueNs: 1e9 + 5, intervalNs: 0 });
  pass(1e9);
  assertStrictEquals(read(), EAGAIN);
  pass(5);
  assertEquals(file.readiness() & POLLIN, POLLIN);
  assertStrictEquals(file.read(caller.room(7)), EINVAL);
  assertEquals(read(), 1);
  assertStrictEquals(read(), EAGAIN);
  assertEquals(file.setting.valueNs, 0);
});

Deno.test("A periodic timerfd counts what nobody read, on its own grid", () => {
  const { file, pass, read, timers } = setUp();
  const interval = { sec: 0, nsec: 100 };
  file.set({ sec: 0, nsec: 50 }, interval, { isAbsolute: false });
  pass(50);
  // Armed again only when somebody looks.
  assertEquals(timers.nextDeadlineNs, Infinity);
  pass(330);
  assertEquals(read(), 4);
  assertEquals(file.setting, { valueNs: 70, intervalNs: 100 });
  pass(70);
  assertEquals(file.setting, { valueNs: 100, intervalNs: 100 });
  assertEquals(read(), 1);
});

Deno.test("TFD_TIMER_ABSTIME is a time of the timer's clock", () => {
  const { file, pass, read, caller } = setUp(CLOCK_REALTIME);
  const sec = caller.hostClock.realtimeSec + 3;
  file.set({ sec, nsec: 0 }, ZERO, { isAbsolute: true });
  assertEquals(file.setting.valueNs, 2e9);
  pass(2e9);
  assertEquals(read(), 1);
  file.set({ sec: 1, nsec: 0 }, ZERO, { isAbsolute: true });
  pass(0);
  assertEquals(read(), 1);
});

Deno.test("Setting a timerfd again forgets old expirations; closing disarms", () => {
  const { file, pass, read, timers } = setUp();
  file.set({ sec: 0, nsec: 10 }, ZERO, { isAbsolute: false });
  pass(10);
  file.set(ZERO, ZERO, { isAbsolute: false });
  assertStrictEquals(read(), EAGAIN);
  file.set({ sec: 9, nsec: 0 }, ZERO, { isAbsolute: false });
  file.release();
  assertEquals(timers.nextDeadlineNs, Infinity);
});
