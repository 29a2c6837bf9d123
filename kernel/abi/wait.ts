/**
 * Words of wait4(2) and waitid(2), and the encoding of an exit status.
 *
 * Source: uapi linux/wait.h.
 * @module
 */

// Options.
export const WNOHANG = 1;
export const WUNTRACED = 2;
export const WSTOPPED = 2;
export const WEXITED = 4;
export const WCONTINUED = 8;
export const WNOWAIT = 0x1000000;
export const __WNOTHREAD = 0x20000000;
export const __WALL = 0x40000000;
export const __WCLONE = 0x80000000;

// Kinds of id.
export const P_ALL = 0;
export const P_PID = 1;
export const P_PGID = 2;
export const P_PIDFD = 3;

/** Set in the status of a killed task that dumped core. */
export const WCOREFLAG = 0x80;
/** Status of a continued child. */
export const WCONTINUED_STATUS = 0xffff;

/** Encodes exit(2) with `code` as a wait status. */
export function W_EXITCODE(code: number): number {
  return (code & 0xff) << 8;
}
/** Encodes death by `signal` as a wait status. */
export function W_TERMSIG(signal: number, coreDumped: boolean): number {
  return signal | (coreDumped ? WCOREFLAG : 0);
}
/** Encodes a stop by `signal` (with ptrace event bits above) as a status. */
export function W_STOPCODE(signal: number): number {
  return ((signal & 0xffff) << 8) | 0x7f;
}
/** Whether the status is that of a normal exit. */
export function WIFEXITED(status: number): boolean {
  return (status & 0x7f) === 0;
}
/** Whether the status is that of death by signal. */
export function WIFSIGNALED(status: number): boolean {
  const low = status & 0x7f;
  return low !== 0 && low !== 0x7f;
}
/** Whether the status is that of a stop. */
export function WIFSTOPPED(status: number): boolean {
  return (status & 0xff) === 0x7f;
}
/** The exit code within a status. */
export function WEXITSTATUS(status: number): number {
  return (status >> 8) & 0xff;
}
/** The terminating signal within a status. */
export function WTERMSIG(status: number): number {
  return status & 0x7f;
}
