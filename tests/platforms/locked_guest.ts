/**
 * A program for ptrace_lockdown_test.ts: starts the platform, locks itself
 * down as its argument says, then does everything that the platform can. Its
 * exit status tells what went wrong; any other system call kills it. With
 * `orphan` it tells its stubs' pids and spins in a guest until it is killed.
 *
 *   locked_guest.ts filter|ids|orphan
 * @module
 */

import { assertEquals } from "@std/assert";
import { Confinement } from "../../ffi/confine.ts";
import { DENO_CALLS } from "../../ffi/host_calls.ts";
import { compileFilter, Seccomp } from "../../ffi/seccomp.ts";
import { StopReason } from "../../platforms/platform.ts";
import { PTRACE_HOST_CALLS } from "../../platforms/ptrace/host_calls.ts";
import {
  INT_80,
  LOAD_BYTE,
  SPIN,
  SYSCALL,
  SYSCALL_LOOP,
  WRITE_BASES,
} from "./assembler.ts";
import { CODE, DATA, Machine, PAGE, R } from "./machine.ts";
import { ptrace } from "./ptrace_plugin.ts";

const NOBODY = 65534;

/** Every operation of the contract, and stops of every kind. */
function work(machine: Machine): void {
  const caller = machine.newGuest(SYSCALL_LOOP);
  for (let i = 0; i < 2000; i++) {
    assertEquals(caller.run(), StopReason.Syscall);
    caller.set("rax", i);
  }
  const faulty = machine.newGuest(LOAD_BYTE);
  faulty.set("rsi", 0x5000);
  assertEquals(faulty.run(), StopReason.Fault);
  const old = machine.newGuest([...INT_80, ...WRITE_BASES, ...SYSCALL]);
  old.run();
  old.set("rax", 0xffff_8000_0000_0000n);
  old.run();
  old.set("rip", CODE);
  old.run();
  const spinner = machine.newGuest(SPIN);
  spinner.resume();
  machine.platform.wait(machine.clock.monotonicNs() + 20e6);
  spinner.context.setSingleStep(true);
  spinner.context.interrupt();
  assertEquals(machine.nextStop().stopReason, StopReason.Interrupt);
  assertEquals(spinner.run(), StopReason.Fault);
  assertEquals(spinner.context.saveFpu(), 0);
  spinner.context.markFpuDirty();
  assertEquals(spinner.context.resume(caller.space), 0);
  assertEquals(machine.nextStop().stopReason, StopReason.Syscall);
  for (let i = 0; i < 40; i++) {
    const guest = machine.newGuest(SYSCALL);
    guest.space.map(DATA, PAGE, R, guest.dataOffset, true);
    assertEquals(guest.run(), StopReason.Syscall);
    const contexts = Array.from({ length: 20 }, () => guest.newThread());
    for (const context of contexts) context.resume(guest.space);
    for (const _ of contexts) machine.nextStop();
    for (const context of contexts) context.release();
    guest.release();
  }
}

const machine = new Machine(ptrace);
work(machine); // whatever the runtime opens lazily, it opens now
if (Deno.args[0] === "orphan") {
  machine.newGuest(SPIN).resume();
  const pids = `${ptrace.guestProcesses()?.join(" ")}\n`;
  Deno.stdout.writeSync(new TextEncoder().encode(pids));
  for (;;) machine.platform.wait(Infinity);
}
if (Deno.args[0] === "ids") {
  using confinement = new Confinement();
  confinement.setIds(NOBODY, NOBODY);
} else {
  using seccomp = new Seccomp();
  const rules = [...PTRACE_HOST_CALLS, ...DENO_CALLS];
  seccomp.install(compileFilter(rules, seccomp));
}
work(machine);
machine.platform.close();
Deno.exit(0); // the event loop would need more
