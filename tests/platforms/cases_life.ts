/**
 * Random lives: spaces and contexts that are made, run, interrupted, moved and
 * released in any order, as by a shell that starts programs all the time.
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { type Context, StopReason } from "../../platforms/platform.ts";
import {
  type Code,
  COUNTING_SYSCALL_LOOP,
  LOAD_BYTE,
  SPIN,
} from "./assembler.ts";
import { type Case, CODE, DATA, type Guest } from "./machine.ts";
import { type Machine, setRegister } from "./machine.ts";
import { randomFrom } from "./random.ts";

const ROUNDS = 3000;
const MAX_SPACES = 12;
const MAX_CONTEXTS = 30;
/** A guest of this kind faults at once. */
const FAULTING: Code = LOAD_BYTE;

interface Life {
  readonly context: Context;
  guest: Guest;
  isRunning: boolean;
  isInterrupted: boolean;
}

/** What a context of this guest may report. */
function mayStop(machine: Machine, life: Life, told: string): void {
  const { context, guest } = life;
  const kind = machine.memory.view.getUint8(guest.codeOffset);
  if (context.stopReason === StopReason.Interrupt) {
    assert(life.isInterrupted, `${told}: nobody interrupted`);
  } else if (kind === FAULTING[0]) {
    assertEquals(context.stopReason, StopReason.Fault, told);
    assertEquals(context.faultAddress, 0x5000, told);
  } else {
    assertEquals(kind, COUNTING_SYSCALL_LOOP[0], told);
    assertEquals(context.stopReason, StopReason.Syscall, told);
  }
}

export const LIFE_CASES: readonly Case[] = [
  {
    name: "random lives of spaces and contexts leave nothing behind",
    run(machine) {
      const seed = Math.floor(Math.random() * 2 ** 32);
      const random = randomFrom(seed);
      const told = `seed ${seed}`;
      const before = machine.plugin.guestProcesses()?.length ?? 0;
      const kinds = [COUNTING_SYSCALL_LOOP, FAULTING, SPIN];
      const guests: Guest[] = [];
      const lives: Life[] = [];

      function start(life: Life): void {
        setRegister(life.context, "rip", CODE);
        setRegister(life.context, "rsi", 0x5000);
        assertEquals(life.context.resume(life.guest.space), 0, told);
        life.isRunning = true;
      }

      function takeStop(): void {
        const context = machine.nextStop();
        const life = lives.find((l) => l.context === context);
        assert(life !== undefined && life.isRunning, told);
        mayStop(machine, life, told);
        life.isRunning = false;
        life.isInterrupted = false;
      }

      for (let round = 0; round < ROUNDS; round++) {
        const life = lives[random(lives.length)];
        const act = random(10);
        if (act === 0 && guests.length < MAX_SPACES) {
          const guest = machine.newGuest(kinds[random(kinds.length)]!);
          guests.push(guest);
          const { context } = guest;
          lives.push({
            context,
            guest,
            isRunning: false,
            isInterrupted: false,
          });
        } else if (act === 1 && life && lives.length < MAX_CONTEXTS) {
          const context = life.guest.newThread();
          const { guest } = life;
          lives.push({
            context,
            guest,
            isRunning: false,
            isInterrupted: false,
          });
        } else if (act === 2 && life) { // exit, also of a running thread
          life.context.release();
          lives.splice(lives.indexOf(life), 1);
        } else if (act === 3 && life && !life.isRunning) { // execve
          life.guest = guests[random(guests.length)]!;
          start(life);
        } else if (act === 4 && guests.length > 0) { // last one turns it off
          const guest = guests[random(guests.length)]!;
          if (lives.some((l) => l.guest === guest)) continue;
          // A context that stopped here and has not run elsewhere yet has
          // been released or has moved by now.
          guest.space.release();
          guests.splice(guests.indexOf(guest), 1);
        } else if (act === 5 && life) {
          life.context.interrupt();
          life.isInterrupted = true;
        } else if (act === 6 && life) { // change mappings under its feet
          const { space, dataOffset } = life.guest;
          space.map(DATA, 4096, 3, dataOffset, false);
          assertEquals(space.flush(), 0, told);
        } else if (life && !life.isRunning) {
          start(life);
        } else if (lives.some((l) => l.isRunning)) {
          const spinning = lives.filter((l) => l.isRunning);
          for (const l of spinning) {
            l.context.interrupt();
            l.isInterrupted = true;
          }
          takeStop();
        }
      }
      for (const { context } of lives) context.release();
      for (const guest of guests) guest.space.release();
      assertEquals(machine.platform.nextStopped(), null, told);
      // The ends of released stubs are taken while another runs.
      const last = machine.newGuest(COUNTING_SYSCALL_LOOP);
      const count = () => machine.plugin.guestProcesses()?.length ?? 0;
      for (let i = 0; i < 10_000 && count() > before + 1; i++) last.run();
      assert(count() <= before + 1, `${told}: ${count()} stubs are left`);
    },
  },
];
