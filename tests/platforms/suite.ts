/**
 * The conformance suite: the case list that defines platform.ts and
 * platform.h. Every plugin runs all of it.
 * @module
 */

import { type Case, Machine, type Plugin } from "./machine.ts";
import { END_CASES } from "./cases_end.ts";
import { FAULT_CASES } from "./cases_fault.ts";
import { FPU_CASES } from "./cases_fpu.ts";
import { INTERRUPT_CASES } from "./cases_interrupt.ts";
import { LIFE_CASES } from "./cases_life.ts";
import { MEMORY_CASES } from "./cases_memory.ts";
import { SCALE_CASES } from "./cases_scale.ts";
import { SYSCALL_CASES } from "./cases_syscall.ts";
import { WAIT_CASES } from "./cases_wait.ts";

export const CASES: readonly Case[] = [
  ...SYSCALL_CASES,
  ...FAULT_CASES,
  ...INTERRUPT_CASES,
  ...MEMORY_CASES,
  ...FPU_CASES,
  ...SCALE_CASES,
  ...LIFE_CASES,
  ...WAIT_CASES,
  ...END_CASES,
];

/** Registers a test for each case, each with a platform of its own. */
export function describePlugin(plugin: Plugin): void {
  for (const { name, run } of CASES) {
    Deno.test(`${plugin.name}: ${name}`, () => {
      using machine = new Machine(plugin);
      run(machine);
    });
  }
}
