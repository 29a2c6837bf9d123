/**
 * What a platform's operations cost: the same list for every plugin. The
 * READMEs of the plugins quote the numbers.
 * @module
 */

import { LOAD_BYTE, SYSCALL_LOOP } from "./assembler.ts";
import { DATA, Machine, PAGE, type Plugin, R, W } from "./machine.ts";

/** Registers the benches, which share one platform. */
export function benchPlugin(plugin: Plugin): void {
  const machine = new Machine(plugin);
  addEventListener("unload", () => machine[Symbol.dispose]());

  const caller = machine.newGuest(SYSCALL_LOOP);
  Deno.bench("system call round trip", () => void caller.run());

  const pair = [machine.newGuest(SYSCALL_LOOP), machine.newGuest(SYSCALL_LOOP)];
  Deno.bench("system call of each of two guests", () => {
    for (const guest of pair) guest.resume();
    for (const _ of pair) machine.nextStop();
  });

  const faulty = machine.newGuest(LOAD_BYTE);
  faulty.set("rsi", 0x5000);
  Deno.bench("page fault stop", () => void faulty.run());

  Deno.bench("interrupt of a running guest", () => {
    caller.resume();
    caller.context.interrupt();
    machine.nextStop();
  });

  Deno.bench("one map request", () => {
    caller.space.map(DATA, PAGE, R | W, caller.dataOffset, false);
    caller.space.flush();
  });

  Deno.bench("64 map requests in one flush", () => {
    for (let i = 0; i < 64; i++) {
      caller.space.map(DATA + 2 * i * PAGE, PAGE, R, caller.dataOffset, false);
    }
    caller.space.flush();
  });

  Deno.bench("new space, first run in it, release", () => {
    const guest = machine.newGuest(SYSCALL_LOOP);
    guest.run();
    guest.release();
  });

  Deno.bench("new context in a space that had one, first run, release", () => {
    const context = caller.newThread();
    context.resume(caller.space);
    machine.nextStop();
    context.release();
  });
}
