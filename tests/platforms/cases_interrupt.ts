/**
 * interrupt(): of a running guest, of a stopped one, and overtaken by another
 * stop.
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { type Context, StopReason } from "../../platforms/platform.ts";
import {
  COUNTING_SPIN,
  COUNTING_SYSCALL_LOOP,
  SPIN,
  SYSCALL_LOOP,
} from "./assembler.ts";
import { type Case, CODE, getRegister, setRegister } from "./machine.ts";
import { randomFrom } from "./random.ts";

const RANDOM_ROUNDS = 10_000;
const RANDOM_CONTEXTS = 6;

export const INTERRUPT_CASES: readonly Case[] = [
  {
    name: "interrupt stops a spinning guest between two instructions",
    run(machine) {
      const guest = machine.newGuest(SPIN);
      guest.set("r13", 77);
      guest.resume();
      guest.context.interrupt();
      assertEquals(machine.nextStop().stopReason, StopReason.Interrupt);
      assertEquals(guest.get("rip"), BigInt(CODE));
      assertEquals(guest.get("r13"), 77n);
      assertEquals(guest.get("origRax"), 2n ** 64n - 1n);
    },
  },
  {
    name: "interrupt before resume stops before the first instruction",
    run(machine) {
      const guest = machine.newGuest(COUNTING_SYSCALL_LOOP);
      guest.context.interrupt();
      guest.context.interrupt();
      assertEquals(guest.run(), StopReason.Interrupt);
      assertEquals(guest.get("rbx"), 0n);
      assertEquals(guest.get("rip"), BigInt(CODE));
      assertEquals(guest.run(), StopReason.Syscall, "one stop for both");
      assertEquals(guest.get("rbx"), 1n);
    },
  },
  {
    name: "a syscall that comes first consumes the interrupt",
    run(machine) {
      const guest = machine.newGuest(COUNTING_SYSCALL_LOOP);
      for (let i = 0; i < 200; i++) {
        guest.resume();
        guest.context.interrupt();
        const { stopReason } = machine.nextStop();
        if (stopReason === StopReason.Interrupt) continue;
        assertEquals(stopReason, StopReason.Syscall);
        assertEquals(guest.run(), StopReason.Syscall, "consumed");
      }
    },
  },
  {
    name: "interrupt does nothing to a context that was never resumed",
    run(machine) {
      const guest = machine.newGuest(SYSCALL_LOOP);
      guest.context.interrupt();
      assertEquals(machine.platform.nextStopped(), null);
      assert(!guest.context.isRunning);
    },
  },
  {
    name: "random resumes and interrupts lose and invent no stop",
    run(machine) {
      const seed = Math.floor(Math.random() * 2 ** 32);
      const random = randomFrom(seed);
      const told = `seed ${seed}`;
      const guest = machine.newGuest(COUNTING_SYSCALL_LOOP);
      const spinner = machine.newGuest(COUNTING_SPIN);
      const contexts: Context[] = [];
      for (let i = 0; i < RANDOM_CONTEXTS; i++) {
        const context = guest.newThread();
        if (i % 3 === 2) setRegister(context, "rip", CODE);
        contexts.push(context);
      }
      // Per context: what the kernel would know of it.
      const isSpinner = contexts.map((_, i) => i % 3 === 2);
      const isRunning = contexts.map(() => false);
      const mayInterrupt = contexts.map(() => false);
      const mustInterrupt = contexts.map(() => false);
      const calls = contexts.map(() => 0n);

      function takeStop(context: Context): void {
        const i = contexts.indexOf(context);
        assert(isRunning[i], `${told}: stop of a stopped context`);
        isRunning[i] = false;
        if (context.stopReason === StopReason.Interrupt) {
          assert(mayInterrupt[i], `${told}: nobody interrupted`);
        } else {
          assertEquals(context.stopReason, StopReason.Syscall, told);
          assert(!isSpinner[i] && !mustInterrupt[i], told);
          calls[i] = calls[i]! + 1n;
          // One call a round: nothing ran twice, nothing was skipped.
          assertEquals(getRegister(context, "rbx"), calls[i], told);
        }
        mayInterrupt[i] = false;
        mustInterrupt[i] = false;
      }

      for (let round = 0; round < RANDOM_ROUNDS; round++) {
        const i = random(RANDOM_CONTEXTS);
        const context = contexts[i]!;
        const act = random(3);
        if (act === 0) {
          context.interrupt();
          mayInterrupt[i] = true;
          if (!isRunning[i]) mustInterrupt[i] = true;
        } else if (act === 1 && !isRunning[i]) {
          if (!mustInterrupt[i] && !isSpinner[i]) {
            setRegister(context, "rbx", calls[i]!);
          }
          const space = isSpinner[i] ? spinner.space : guest.space;
          assertEquals(context.resume(space), 0, told);
          isRunning[i] = true;
        } else if (isRunning.some((running) => running)) {
          if (!isRunning.some((r, j) => r && (!isSpinner[j]))) {
            const spinning = isRunning.indexOf(true);
            contexts[spinning]!.interrupt();
            mayInterrupt[spinning] = true;
          }
          takeStop(machine.nextStop());
        }
      }
      isRunning.forEach((running, i) => {
        if (!running) return;
        contexts[i]!.interrupt();
        mayInterrupt[i] = true;
      });
      while (isRunning.some((running) => running)) takeStop(machine.nextStop());
      assertEquals(machine.platform.nextStopped(), null, told);
    },
  },
];
