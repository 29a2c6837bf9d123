/**
 * Many contexts, many spaces, contexts that move, and indexes that are used
 * again.
 * @module
 */

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { type Context, StopReason } from "../../platforms/platform.ts";
import {
  COUNTING_SYSCALL_LOOP,
  LOAD_BYTE,
  SPIN,
  STORE_LOOP,
  SYSCALL,
} from "./assembler.ts";
import { type Case, CODE, DATA, getRegister, PAGE, R } from "./machine.ts";
import { setRegister, X } from "./machine.ts";

export const SCALE_CASES: readonly Case[] = [
  {
    name: "hundreds of contexts in one space run, each with its registers",
    run(machine) {
      const guest = machine.newGuest(COUNTING_SYSCALL_LOOP);
      const contexts = [guest.context];
      while (contexts.length < 400) contexts.push(guest.newThread());
      for (let round = 1; round <= 3; round++) {
        contexts.forEach((context, i) => {
          setRegister(context, "r15", i);
          assertEquals(context.resume(guest.space), 0);
        });
        const seen = new Set<number>();
        while (seen.size < contexts.length) {
          const context = machine.nextStop();
          assertEquals(context.stopReason, StopReason.Syscall);
          assertEquals(getRegister(context, "rbx"), BigInt(round));
          assertEquals(
            getRegister(context, "r15"),
            BigInt(contexts.indexOf(context)),
          );
          assert(!seen.has(context.index));
          seen.add(context.index);
        }
        assertEquals(machine.platform.nextStopped(), null);
      }
      for (const context of contexts) context.release();
    },
  },
  {
    name: "many spaces are separate and can all be released",
    run(machine) {
      const guests = Array.from(
        { length: 60 },
        () => machine.newGuest([...LOAD_BYTE, ...SYSCALL]),
      );
      guests.forEach((guest, i) => {
        machine.memory.view.setUint8(guest.dataOffset, i + 1);
        guest.resume();
      });
      for (let i = 0; i < guests.length; i++) machine.nextStop();
      guests.forEach((guest, i) => {
        assertEquals(guest.get("origRax") & 0xffn, BigInt(i + 1));
        guest.release();
      });
    },
  },
  {
    name: "spaces come and go without end",
    run(machine) {
      for (let i = 0; i < 300; i++) {
        const guest = machine.newGuest(SYSCALL);
        assertEquals(guest.run(), StopReason.Syscall);
        guest.release();
      }
    },
  },
  {
    name: "contexts come and go in one space without end",
    run(machine) {
      const guest = machine.newGuest(COUNTING_SYSCALL_LOOP);
      for (let round = 0; round < 40; round++) {
        const contexts: Context[] = [];
        for (let i = 0; i < 30; i++) contexts.push(guest.newThread());
        for (const context of contexts) {
          assertEquals(context.resume(guest.space), 0);
        }
        for (let i = 0; i < contexts.length; i++) {
          assertEquals(getRegister(machine.nextStop(), "rbx"), 1n);
        }
        for (const context of contexts) context.release();
      }
    },
  },
  {
    name: "a context that moves to another space keeps its registers",
    run(machine) {
      const guest = machine.newGuest([...LOAD_BYTE, ...SYSCALL]);
      const target = machine.newGuest([...LOAD_BYTE, ...SYSCALL]);
      machine.memory.view.setUint8(target.dataOffset, 0x2a);
      guest.set("r12", 0xabcdn);
      guest.set("fsBase", DATA + 0x40);
      guest.run();
      guest.set("rip", CODE);
      guest.set("rax", 0);
      assertEquals(guest.context.resume(target.space), 0);
      const moved = machine.nextStop();
      assertEquals(moved.index, guest.context.index);
      assertEquals(guest.get("origRax"), 0x2an);
      assertEquals(guest.get("r12"), 0xabcdn);
      assertEquals(guest.get("fsBase"), BigInt(DATA + 0x40));
      guest.space.release();
      guest.set("rip", CODE);
      assertEquals(guest.context.resume(target.space), 0);
      machine.nextStop();
    },
  },
  {
    name: "a released context that was running is forgotten",
    run(machine) {
      const guest = machine.newGuest(SPIN);
      guest.resume();
      guest.context.release();
      const next = guest.newThread();
      setRegister(next, "rip", CODE + SPIN.length);
      machine.memory.write(
        guest.codeOffset + SPIN.length,
        new Uint8Array(SYSCALL),
      );
      assertEquals(next.resume(guest.space), 0);
      const stopped = machine.nextStop();
      assertEquals(stopped, next);
      assertEquals(stopped.stopReason, StopReason.Syscall);
    },
  },
  {
    name: "a guest executes nothing after its release",
    run(machine) {
      for (let i = 0; i < 50; i++) {
        const guest = machine.newGuest(STORE_LOOP);
        const { view } = machine.memory;
        guest.set("rax", 0x55);
        guest.resume();
        while (view.getUint8(guest.dataOffset) === 0) {
          machine.platform.wait(0);
        }
        guest.context.release();
        view.setUint8(guest.dataOffset, 0);
        guest.space.release();
        assertEquals(machine.newGuest(SYSCALL).run(), StopReason.Syscall);
        assertEquals(view.getUint8(guest.dataOffset), 0);
      }
    },
  },
  {
    name: "a stop that was not taken goes with its context",
    run(machine) {
      const guest = machine.newGuest(SYSCALL);
      guest.resume();
      machine.platform.wait(Infinity);
      const { index } = guest.context;
      guest.context.release();
      assertEquals(guest.newThread().index, index, "the slot is free");
      assertEquals(machine.platform.nextStopped(), null);
    },
  },
  {
    name: "a stop of a released context is not one of its slot's next user",
    run(machine) {
      const guest = machine.newGuest([...SYSCALL, ...SPIN]);
      const other = guest.newThread();
      guest.resume();
      assertEquals(other.resume(guest.space), 0);
      while (guest.context.stopReason === 0 || other.stopReason === 0) {
        machine.platform.wait(0);
      }
      const taken = machine.nextStop();
      const left = taken === other ? guest.context : other;
      left.release();
      const next = guest.newThread();
      assertEquals(next.index, left.index);
      setRegister(next, "rip", CODE + SYSCALL.length);
      assertEquals(next.resume(guest.space), 0);
      assertEquals(machine.platform.nextStopped(), null);
    },
  },
  {
    name: "contexts run out with EAGAIN and come back",
    run(machine) {
      const contexts: Context[] = [];
      for (;;) {
        const context = machine.platform.newContext();
        if (typeof context === "number") {
          assertEquals(context, -11);
          break;
        }
        contexts.push(context);
      }
      assertEquals(contexts.length, 2048);
      contexts[5]!.release();
      const again = machine.platform.newContext();
      assertNotEquals(typeof again, "number");
    },
  },
  {
    name: "two contexts in two spaces run at the same time",
    run(machine) {
      const spinner = machine.newGuest(SPIN);
      const caller = machine.newGuest(COUNTING_SYSCALL_LOOP);
      spinner.resume();
      for (let i = 0; i < 100; i++) {
        assertEquals(caller.run(), StopReason.Syscall);
      }
      assert(spinner.context.isRunning);
      spinner.context.interrupt();
      assertEquals(machine.nextStop(), spinner.context);
    },
  },
  {
    name: "a space can be mapped and run by contexts that come later",
    run(machine) {
      const space = machine.newSpace();
      const code = machine.allocate(1);
      machine.memory.write(code, new Uint8Array(SYSCALL));
      space.map(CODE, PAGE, R | X, code, false);
      for (let i = 0; i < 3; i++) {
        const context = machine.newContext();
        setRegister(context, "rip", CODE);
        assertEquals(context.resume(space), 0);
        assertEquals(machine.nextStop(), context);
        context.release();
      }
    },
  },
];
