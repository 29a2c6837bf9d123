/**
 * What `runsc` itself exits with when it is not the container's own status.
 * The numbers are those of sysexits(3), so that each cause has its own, plus
 * the shell's 126 and 127. README.md prints the table.
 * @module
 */

export const ExitStatus = {
  Ok: 0,
  /** Any failure of a management verb (runc's 1). */
  Failure: 1,
  /** EX_USAGE: an unknown verb or flag, a missing argument. */
  Usage: 64,
  /** EX_DATAERR: config.json or another document is not valid. */
  BadConfig: 65,
  /** EX_NOINPUT: a bundle, root directory or other named file is missing. */
  NoInput: 66,
  /** EX_UNAVAILABLE: this host cannot run a sandbox, or this build is not
   * complete. */
  Unavailable: 69,
  /** EX_SOFTWARE: the sandbox died, by a signal or by a bug of ours. */
  SandboxDied: 70,
  /** EX_OSERR: the host refused a process, namespace or descriptor. */
  HostRefused: 71,
  /** EX_IOERR: the file server died. */
  GoferDied: 74,
  /** EX_NOPERM: the caller may not do this. */
  NoPermission: 77,
  /** The program exists and cannot be executed. */
  NotExecutable: 126,
  /** There is no such program. */
  NotFound: 127,
} as const;
export type ExitStatus = typeof ExitStatus[keyof typeof ExitStatus];

/** Exit status of a shell for a process that ended by a signal. */
export function statusOfSignal(signo: number): number {
  return 128 + signo;
}
