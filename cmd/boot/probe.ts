/**
 * For tests that ask what code could do which got into the locked Sentry. Only
 * a spec with test hooks makes it exist; it holds what an attacker might still
 * find in the heap, taken before lock-down removes the names.
 * @module
 */
import { Confinement } from "../../ffi/confine.ts";
import type { DescriptorMaker } from "../../ffi/files.ts";
import type { GoferChannels } from "../../ffi/gofer_channel.ts";
import { Process } from "../../ffi/process.ts";
import { Spawner } from "../../ffi/spawn.ts";
import { Terminals } from "../../ffi/terminals.ts";

/** What a probe's code finds under the same names. */
export interface ProbeTools {
  readonly deno: typeof Deno;
  readonly descriptors: DescriptorMaker;
  readonly channels: GoferChannels;
  readonly confinement: Confinement;
  readonly process: Process;
  readonly spawner: Spawner;
  readonly terminals: Terminals;
}

/** Runs the body of a function in the locked process; what it returns, or
 * threw, as text. */
export type Probe = (source: string) => string;

/** Gathers the tools. Precondition: lock-down has not begun. */
export function makeProbe(
  parts: Pick<ProbeTools, "descriptors" | "channels">,
): Probe {
  const tools: ProbeTools = {
    ...parts,
    // The Sentry's own ended with the ffi permission; these meet the filter.
    confinement: new Confinement(),
    process: new Process(),
    deno: Deno,
    spawner: new Spawner(),
    terminals: new Terminals(),
  };
  const names = Object.keys(tools);
  const values = Object.values(tools);
  return (source) => {
    try {
      return String(new Function(...names, source)(...values));
    } catch (thrown) {
      return thrown instanceof Error
        ? `${thrown.name}: ${thrown.message}`
        : String(thrown);
    }
  };
}
