/**
 * What a verb is. A file of this folder per verb exports one; main.ts loads it
 * when it is asked for, since every module costs start-up time.
 * @module
 */
import type { Flags, FlagsEnd, FlagValues } from "./flags.ts";
import type { GlobalFlags } from "./global_flags.ts";
import { UsageError } from "./runtime_error.ts";

export interface VerbCall<F extends Flags> {
  readonly globals: GlobalFlags;
  readonly flags: FlagValues<F>;
  /** Arguments that are not flags. */
  readonly args: readonly string[];
  /** The whole table, for `help`. */
  readonly verbs: VerbTable;
}

export interface Verb<F extends Flags = Flags> {
  /** Arguments as --help shows them, such as "[flags] ID". */
  readonly usage: string;
  /** What it does, a paragraph for --help. */
  readonly description: string;
  readonly flags: F;
  readonly flagsEnd: FlagsEnd;
  /** Returns the exit status. Throws a RuntimeError for a failure that the
   * user is told. */
  run(call: VerbCall<F>): number | Promise<number>;
}

/** A line of the verb table. */
export interface VerbEntry {
  readonly summary: string;
  /** Run by runsc itself, not by people. */
  readonly isHidden?: boolean;
  readonly load: () => Promise<Verb>;
}
export type VerbTable = Readonly<Record<string, VerbEntry>>;

/** Names the type of `flags` for `run`. */
export function defineVerb<const F extends Flags>(verb: Verb<F>): Verb {
  return {
    ...verb,
    // main.ts parses the flags of a verb by the verb's own table.
    run: (call) =>
      verb.run({ ...call, flags: call.flags as unknown as FlagValues<F> }),
  };
}

/** The container ID that is a verb's only argument. */
export function oneId(verb: string, args: readonly string[]): string {
  const [id, ...more] = args;
  if (id === undefined || more.length > 0) {
    throw new UsageError(`${verb} takes one container ID`);
  }
  return id;
}
