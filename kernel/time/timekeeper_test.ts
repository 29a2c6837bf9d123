import { assert, assertEquals } from "@std/assert";
import type { HostClock } from "../host.ts";
import {
  FIRST_UPDATE_NS,
  Timekeeper,
  UPDATE_INTERVAL_NS,
} from "./timekeeper.ts";
import type { VdsoParams } from "./vdso_page.ts";

/** A host whose TSC ticks at `hz` against an exact monotonic clock. */
class FakeClock implements HostClock {
  ns = 5_000_000_000;
  tscOffset = 12_345_678_901_234;
  bootNs = 0;
  realtime = { sec: 1_700_000_000, nsec: 250_000_000 };
  constructor(public hz: number) {}
  monotonicNs() {
    return this.ns;
  }
  realtimeOffset() {
    return this.realtime;
  }
  boottimeOffsetNs() {
    return this.bootNs;
  }
  sampleTsc() {
    const tsc = this.tsc();
    return {
      tscLow: tsc % 2 ** 32,
      tscHigh: Math.floor(tsc / 2 ** 32),
      monotonicNs: this.ns,
    };
  }
  tsc() {
    return this.tscOffset + Math.round(this.ns * (this.hz / 1e9));
  }
  guestCpuNs() {
    return 0;
  }
}

/** What vdso.c computes, in exact integers. */
function guestNs(params: VdsoParams, tsc: number): bigint {
  const base = BigInt(params.tscHigh) << 32n | BigInt(params.tscLow);
  const delta = BigInt(tsc) - base;
  return BigInt(params.monotonicSec) * 1_000_000_000n +
    BigInt(params.monotonicNsec) +
    ((delta < 0n ? 0n : delta) * BigInt(params.mult) >> BigInt(params.shift));
}

function errorNs(keeper: Timekeeper, clock: FakeClock): number {
  return Number(guestNs(keeper.params, clock.tsc()) - BigInt(clock.ns));
}

Deno.test("Timekeeper without a usable TSC leaves the clocks to system calls", () => {
  const keeper = new Timekeeper(new FakeClock(1e9), 0);
  assertEquals(keeper.params.mode, 0);
  assertEquals(keeper.nextUpdateNs, Infinity);
  keeper.update();
  assertEquals(keeper.params.mode, 0);
});

Deno.test("Timekeeper follows the host at common frequencies", () => {
  for (const hz of [1e6, 999_999_999, 1e9, 2_399_987_654, 5e9]) {
    const clock = new FakeClock(hz);
    const keeper = new Timekeeper(clock, hz);
    assert(keeper.params.mult < 2 ** 32 && keeper.params.mult > 0);
    clock.ns += 900_000_000;
    const tickNs = Math.ceil(1e9 / hz);
    assert(Math.abs(errorNs(keeper, clock)) <= 2 + tickNs, `${hz} Hz`);
  }
});

Deno.test("Timekeeper corrects a wrong frequency within two updates", () => {
  const clock = new FakeClock(2_400_000_000);
  const keeper = new Timekeeper(clock, 2_400_480_000); // 200 ppm off
  clock.ns += FIRST_UPDATE_NS;
  assert(clock.ns >= keeper.nextUpdateNs);
  keeper.update();
  for (let i = 0; i < 2; i++) {
    clock.ns += UPDATE_INTERVAL_NS;
    keeper.update();
  }
  assert(Math.abs(errorNs(keeper, clock)) < 10);
});

Deno.test("Timekeeper never lets the guest's clock run backwards", () => {
  const clock = new FakeClock(2_999_999_973);
  const keeper = new Timekeeper(clock, 3e9);
  const step = 7_654_321;
  for (let i = 0; i < 2000; i++) {
    clock.ns += step + (i % 97) * 1000;
    clock.hz += (i % 5) - 2; // a host clock that is being disciplined
    const before = guestNs(keeper.params, clock.tsc());
    if (i % 3 === 0) keeper.update();
    const after = guestNs(keeper.params, clock.tsc());
    assert(after >= before, `step ${i}: ${before} to ${after}`);
  }
});

Deno.test("Timekeeper jumps forward after a suspend", () => {
  const clock = new FakeClock(1e9);
  const keeper = new Timekeeper(clock, 1e9);
  clock.ns += 60_000_000_000;
  clock.tscOffset -= 59_000_000_000; // the counter stood still
  keeper.update();
  assertEquals(errorNs(keeper, clock), 0);
});

Deno.test("Timekeeper survives a counter that went back", () => {
  const clock = new FakeClock(1e9);
  const keeper = new Timekeeper(clock, 1e9);
  clock.ns += 1_000_000_000;
  clock.tscOffset = 0;
  keeper.update();
  assertEquals(errorNs(keeper, clock), 0);
});

Deno.test("Timekeeper reports the offsets of the other clocks", () => {
  const clock = new FakeClock(1e9);
  clock.bootNs = 3_500_000_000;
  const { params } = new Timekeeper(clock, 1e9);
  assertEquals(params.realtimeSec, 1_700_000_000);
  assertEquals(params.realtimeNsec, 250_000_000);
  assertEquals(params.boottimeSec, 3);
  assertEquals(params.boottimeNsec, 500_000_000);
});
