/**
 * Ends: guests killed from outside, signals from outside, release and close.
 * These need to know the host processes behind guests; a plugin without any
 * (guestProcesses() is null) passes them by closing cleanly.
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { StopReason } from "../../platforms/platform.ts";
import { COUNTING_SPIN, COUNTING_SYSCALL_LOOP, SPIN } from "./assembler.ts";
import { SYSCALL } from "./assembler.ts";
import { type Case, Machine } from "./machine.ts";

const ESRCH = 3;
const SIGKILL = 9;

function kill(pids: number[], signal: Deno.Signal): void {
  for (const pid of pids) Deno.kill(pid, signal);
}

function openDescriptors(): string[] {
  return [...Deno.readDirSync("/proc/self/fd")].map(({ name }) => name);
}

/** Signals that must not reach the guest, its death included. */
const STRAY_SIGNALS: readonly Deno.Signal[] = [
  "SIGCHLD",
  "SIGWINCH",
  "SIGUSR1",
  "SIGTERM",
  "SIGSTOP",
  "SIGCONT",
  "SIGSEGV",
  "SIGTRAP",
  "SIGFPE",
  "SIGILL",
];

export const END_CASES: readonly Case[] = [
  {
    name: "SIGKILL from outside is a Dead stop, then ESRCH",
    run(machine) {
      const before = machine.plugin.guestProcesses() ?? [];
      const guest = machine.newGuest(SPIN);
      const idle = guest.newThread();
      guest.resume();
      const stubs = machine.plugin.guestProcesses();
      if (stubs === null) return;
      kill(stubs.filter((pid) => !before.includes(pid)), "SIGKILL");
      assertEquals(machine.nextStop().stopReason, StopReason.Dead);
      assertEquals(guest.context.hostStatus, SIGKILL);
      assertEquals(guest.context.resume(guest.space), -ESRCH);
      assertEquals(idle.resume(guest.space), -ESRCH);
      guest.space.unmap(0x10000, 4096);
      assertEquals(guest.space.flush(), -ESRCH);
      // Others are not affected.
      const other = machine.newGuest(SYSCALL);
      assertEquals(other.run(), StopReason.Syscall);
      guest.release();
      idle.release();
    },
  },
  {
    name: "death between two runs is found at the next",
    run(machine) {
      const before = machine.plugin.guestProcesses() ?? [];
      const guest = machine.newGuest(COUNTING_SYSCALL_LOOP);
      guest.run();
      const stubs = machine.plugin.guestProcesses();
      if (stubs === null) return;
      kill(stubs.filter((pid) => !before.includes(pid)), "SIGKILL");
      const result = guest.context.resume(guest.space);
      if (result === 0) {
        assertEquals(machine.nextStop().stopReason, StopReason.Dead);
      } else assertEquals(result, -ESRCH);
      guest.release();
      assertEquals(machine.newGuest(SYSCALL).run(), StopReason.Syscall);
    },
  },
  {
    name: "death of every stub, also of the template, hangs nothing",
    run(machine) {
      const guest = machine.newGuest(SPIN);
      guest.resume();
      const stubs = machine.plugin.guestProcesses();
      if (stubs === null) return;
      kill(stubs, "SIGKILL");
      assertEquals(machine.nextStop().stopReason, StopReason.Dead);
      assertEquals(machine.platform.newAddressSpace(), -ESRCH);
      machine.platform.wait(machine.clock.monotonicNs() + 1e6);
      guest.release();
    },
  },
  {
    name: "stray signals reach no guest",
    run(machine) {
      const spinner = machine.newGuest(COUNTING_SPIN);
      const caller = machine.newGuest(COUNTING_SYSCALL_LOOP);
      const stubs = machine.plugin.guestProcesses();
      if (stubs === null) return;
      let calls = 0n;
      for (const signal of STRAY_SIGNALS) {
        spinner.resume();
        kill(stubs, signal);
        assertEquals(caller.run(), StopReason.Syscall, signal);
        calls++;
        kill(stubs, signal);
        // Requests are carried out by threads that get signals, too.
        caller.space.unmap(0x10000, 4096);
        assertEquals(caller.space.flush(), 0, signal);
        spinner.context.interrupt();
        assertEquals(machine.nextStop(), spinner.context, signal);
        assertEquals(spinner.context.stopReason, StopReason.Interrupt, signal);
      }
      assertEquals(caller.get("rbx"), calls);
      assertEquals(machine.newGuest(SYSCALL).run(), StopReason.Syscall);
    },
  },
  {
    name: "close leaves no process and no descriptor",
    run(machine) {
      const processes = machine.plugin.guestProcesses()?.length;
      const descriptors = openDescriptors();
      {
        using inner = new Machine(machine.plugin);
        for (let i = 0; i < 5; i++) {
          const guest = inner.newGuest(SPIN);
          guest.resume();
          const other = guest.newThread();
          other.resume(guest.space);
        }
        inner.newGuest(SYSCALL).run();
      }
      assertEquals(machine.plugin.guestProcesses()?.length, processes);
      assertEquals(openDescriptors(), descriptors);
    },
  },
  {
    name: "release of a space ends its process while guests run elsewhere",
    run(machine) {
      const count = () => machine.plugin.guestProcesses()?.length ?? 0;
      const other = machine.newGuest(COUNTING_SYSCALL_LOOP);
      const before = count();
      const guest = machine.newGuest(SYSCALL);
      guest.run();
      guest.release();
      // Its end is taken on the way, as other guests go on.
      for (let i = 0; i < 100_000 && count() > before; i++) other.run();
      assert(count() <= before, "the stub is still there");
    },
  },
  {
    name: "a platform can be opened again after close",
    run(machine) {
      for (let i = 0; i < 3; i++) {
        using again = new Machine(machine.plugin, 4);
        assertEquals(again.newGuest(SYSCALL).run(), StopReason.Syscall);
      }
      assertEquals(machine.newGuest(SYSCALL).run(), StopReason.Syscall);
    },
  },
];
