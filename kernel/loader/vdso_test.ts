import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { ENOMEM, isErrno } from "../abi/errno.ts";
import { PAGE_SIZE } from "../abi/mman.ts";
import type { HostClock } from "../host.ts";
import { FakeMemory } from "../mm/fake_memory.ts";
import { MemoryFile } from "../mm/memory_file.ts";
import { FIRST_UPDATE_NS, Timekeeper } from "../time/timekeeper.ts";
import { TimerQueue } from "../time/timer_queue.ts";
import { CONSTANTS, VDSO_PAGE } from "../time/vdso_page.ts";
import { FakeProgramMemory } from "./_fakes.ts";
import { Vdso } from "./vdso.ts";

class FakeClock implements HostClock {
  ns = 1_000_000_000;
  monotonicNs() {
    return this.ns;
  }
  realtimeOffset() {
    return { sec: 5, nsec: 0 };
  }
  boottimeOffsetNs() {
    return 0;
  }
  sampleTsc() {
    return { tscLow: this.ns, tscHigh: 0, monotonicNs: this.ns };
  }
  guestCpuNs() {
    return 0;
  }
}

function setUp(tscHz: number, imageBytes = 5000, isRead = () => true) {
  const memory = new FakeMemory();
  const timers = new TimerQueue();
  const clock = new FakeClock();
  const vdso = Vdso.create(
    new MemoryFile(memory),
    timers,
    new Timekeeper(clock, tscHz),
    new Uint8Array(imageBytes).fill(0x7f),
    isRead,
  );
  if (isErrno(vdso)) throw new Error(vdso.name);
  const space = new FakeProgramMemory(memory);
  const field = (name: keyof typeof VDSO_PAGE.fields) => {
    const header = vdso.map(space);
    if (isErrno(header)) throw new Error(header.name);
    const at = header - PAGE_SIZE + VDSO_PAGE.fields[name].offset;
    return new DataView(space.read(at, 4).buffer).getUint32(0, true);
  };
  return { memory, timers, clock, vdso, space, field };
}

Deno.test("Vdso.map() shows the image's pages, its rest zero", () => {
  const { vdso, space } = setUp(0);
  const header = vdso.map(space);
  assert(!isErrno(header));
  const bytes = space.read(header, 2 * PAGE_SIZE);
  assertEquals(bytes.lastIndexOf(0x7f), 4999);
  assertEquals(space.name(header), "[vdso]");
});

Deno.test("Vdso.create() publishes a page that can be used at once", () => {
  const { field } = setUp(1e9);
  assertEquals(field("mode"), CONSTANTS.VDSO_MODE_TSC);
  assertEquals(field("monotonicSec"), 1);
  assertEquals(field("realtimeSec"), 5);
  assertEquals(field("seq") % 2, 0);
});

Deno.test("Vdso updates the page when its time has come, again and again", () => {
  const { field, timers, clock } = setUp(1e9);
  assertEquals(timers.nextDeadlineNs, clock.ns + FIRST_UPDATE_NS);
  for (let second = 2; second < 5; second++) {
    clock.ns = second * 1_000_000_000;
    timers.expire(clock.ns);
    assertEquals(field("monotonicSec"), second);
    assert(timers.nextDeadlineNs > clock.ns);
    assert(timers.nextDeadlineNs !== Infinity);
  }
});

Deno.test("Vdso without a TSC never wakes the kernel", () => {
  const { field, timers } = setUp(0);
  assertEquals(timers.nextDeadlineNs, Infinity);
  assertEquals(field("mode"), CONSTANTS.VDSO_MODE_SYSCALL);
});

Deno.test("Vdso.create() fails when the memory file is full", () => {
  const file = new MemoryFile(new FakeMemory(4 * PAGE_SIZE));
  const keeper = new Timekeeper(new FakeClock(), 0);
  const image = new Uint8Array(4 * PAGE_SIZE);
  assertStrictEquals(
    Vdso.create(file, new TimerQueue(), keeper, image),
    ENOMEM,
  );
});

Deno.test("Vdso updates nothing while nobody can read it", () => {
  let isRead = false;
  const { timers, clock, vdso, field } = setUp(1e9, 5000, () => isRead);
  const before = field("tscBase");
  clock.ns += FIRST_UPDATE_NS;
  timers.expire(clock.ns);
  assertEquals(timers.nextDeadlineNs, Infinity);
  assertEquals(field("tscBase"), before);

  clock.ns += 3600e9;
  isRead = true;
  vdso.wake();
  assertEquals(field("tscBase"), clock.ns >>> 0);
  const next = timers.nextDeadlineNs;
  assert(next > clock.ns && next < Infinity);
  // Once it is awake there is nothing to do.
  clock.ns += 1000;
  vdso.wake();
  assertEquals(timers.nextDeadlineNs, next);
});
