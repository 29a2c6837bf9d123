/**
 * The host's clocks agree with those of the runtime, and with each other.
 * @module
 */

import {
  assertEquals,
  assertGreater,
  assertGreaterOrEqual,
  assertLess,
  assertNotEquals,
} from "@std/assert";
import { Clock, isTscUsable } from "./clock.ts";

Deno.test("monotonicNs() does not go back", () => {
  using clock = new Clock();
  let last = clock.monotonicNs();
  for (let i = 0; i < 1000; i++) {
    const now = clock.monotonicNs();
    assertGreaterOrEqual(now, last);
    last = now;
  }
});

Deno.test("realtimeOffset() makes wall-clock time of monotonic time", () => {
  using clock = new Clock();
  const before = Date.now();
  const { sec, nsec } = clock.realtimeOffset();
  const ms = sec * 1e3 + (nsec + clock.monotonicNs()) / 1e6;
  const after = Date.now();
  assertGreaterOrEqual(nsec, 0);
  assertLess(nsec, 1e9);
  assertGreaterOrEqual(ms, before - 1);
  assertLess(ms, after + 2);
});

Deno.test("boottimeOffsetNs() is not negative", () => {
  using clock = new Clock();
  // Sampling two clocks in turn leaves some tens of nanoseconds of doubt.
  assertGreater(clock.boottimeOffsetNs(), -1e5);
});

Deno.test("sampleTsc() pairs a growing counter with monotonic time", () => {
  using clock = new Clock();
  const first = clock.sampleTsc();
  const now = clock.monotonicNs();
  const second = clock.sampleTsc();
  assertLess(first.monotonicNs, now + 1);
  assertGreaterOrEqual(second.monotonicNs, first.monotonicNs);
  assertGreater(
    second.tscHigh * 2 ** 32 + second.tscLow,
    first.tscHigh * 2 ** 32 + first.tscLow,
  );
});

Deno.test("guestCpuNs() counts the processes it is told of", () => {
  using clock = new Clock(() => [Deno.pid, 2 ** 30]);
  assertGreater(clock.guestCpuNs(), 0);
});

Deno.test("randomBytes() fills the whole array", () => {
  using clock = new Clock();
  const long = new Uint8Array(4096);
  clock.randomBytes(long);
  assertNotEquals(long.subarray(2048).join(), new Uint8Array(2048).join());
  clock.randomBytes(new Uint8Array(0));
});

Deno.test("isTscUsable() wants constant, nonstop, and the kernel's trust", () => {
  const good = "processor: 0\nflags\t\t: fpu constant_tsc nonstop_tsc avx\n";
  assertEquals(isTscUsable(good, "tsc\n"), true);
  assertEquals(isTscUsable(good, "kvm-clock\n"), true);
  assertEquals(isTscUsable(good, "hpet\n"), false);
  assertEquals(isTscUsable("flags\t: fpu constant_tsc\n", "tsc"), false);
  assertEquals(isTscUsable("", "tsc"), false);
});
