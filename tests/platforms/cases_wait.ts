/**
 * wait(): deadlines, rings of other threads, stops that are there already.
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { DescriptorMaker } from "../../ffi/files.ts";
import { Reactor } from "../../ffi/reactor.ts";
import { SPIN, SYSCALL, SYSCALL_LOOP } from "./assembler.ts";
import type { Case, Machine } from "./machine.ts";

const EPOLLIN = 1;

/** Lets the reactor thread ring once; returns its token. */
function ringFromThread(machine: Machine, sleep: () => void): number {
  using reactor = new Reactor(machine.platform.doorbell);
  using maker = new DescriptorMaker();
  const [readEnd, writeEnd] = maker.pipe();
  reactor.watch(readEnd, EPOLLIN, 42);
  maker.write(writeEnd, new Uint8Array([1]));
  sleep();
  const token = reactor.next();
  reactor.unwatch(readEnd);
  maker.close(readEnd);
  maker.close(writeEnd);
  return token;
}

export const WAIT_CASES: readonly Case[] = [
  {
    name: "wait returns at its deadline, not before",
    run(machine) {
      const deadline = machine.clock.monotonicNs() + 3e6;
      while (machine.clock.monotonicNs() < deadline) {
        machine.platform.wait(deadline);
      }
      assertEquals(machine.platform.nextStopped(), null);
      assertEquals(machine.platform.takeRing(), false);
    },
  },
  {
    name: "wait returns at a deadline while a guest spins",
    run(machine) {
      const guest = machine.newGuest(SPIN);
      guest.resume();
      for (let i = 1; i <= 5; i++) {
        const deadline = machine.clock.monotonicNs() + i * 1e6;
        while (machine.clock.monotonicNs() < deadline) {
          machine.platform.wait(deadline);
          assertEquals(machine.platform.nextStopped(), null);
        }
      }
    },
  },
  {
    name: "wait with a deadline in the past takes stops and returns",
    run(machine) {
      const guest = machine.newGuest(SYSCALL);
      guest.resume();
      let taken = machine.platform.nextStopped();
      while (taken === null) {
        machine.platform.wait(0);
        taken = machine.platform.nextStopped();
      }
      assertEquals(taken, guest.context);
    },
  },
  {
    name: "deadlines that come nearer and go further are all kept",
    run(machine) {
      for (const ms of [50, 1, 20, 0.1, 5, 0.01, 2]) {
        const deadline = machine.clock.monotonicNs() + ms * 1e6;
        while (machine.clock.monotonicNs() < deadline) {
          machine.platform.wait(deadline);
        }
      }
    },
  },
  {
    name: "a ring of another thread ends a wait without deadline",
    run(machine) {
      const token = ringFromThread(machine, () => {
        while (!machine.platform.takeRing()) machine.platform.wait(Infinity);
      });
      assertEquals(token, 42);
    },
  },
  {
    name: "a ring ends a wait while guests run, a thousand times",
    run(machine) {
      const spinner = machine.newGuest(SPIN);
      spinner.resume();
      using reactor = new Reactor(machine.platform.doorbell);
      using maker = new DescriptorMaker();
      const [readEnd, writeEnd] = maker.pipe();
      reactor.watch(readEnd, EPOLLIN, 7);
      for (let i = 0; i < 1000; i++) {
        maker.write(writeEnd, new Uint8Array([i & 255]));
        while (reactor.next() < 0) {
          while (!machine.platform.takeRing()) machine.platform.wait(Infinity);
        }
      }
      reactor.unwatch(readEnd);
      maker.close(readEnd);
      maker.close(writeEnd);
    },
  },
  {
    name: "wait returns at once while a stop is not taken",
    run(machine) {
      const one = machine.newGuest(SYSCALL);
      const two = machine.newGuest(SYSCALL);
      one.resume();
      two.resume();
      const first = machine.nextStop();
      machine.platform.wait(Infinity);
      const second = machine.nextStop();
      assert(first !== second);
    },
  },
  {
    name: "every context that calls in a loop gets its turn",
    run(machine) {
      const guest = machine.newGuest(SYSCALL_LOOP);
      const contexts = [guest.context, guest.newThread(), guest.newThread()];
      const turns = contexts.map(() => 0);
      for (const context of contexts) context.resume(guest.space);
      for (let i = 0; i < 3000; i++) {
        const context = machine.nextStop();
        const k = contexts.indexOf(context);
        turns[k] = turns[k]! + 1;
        context.resume(guest.space);
      }
      for (const count of turns) assert(count > 100, `turns ${turns}`);
    },
  },
];
