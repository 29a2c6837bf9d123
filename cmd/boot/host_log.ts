/**
 * HostLog over a descriptor: whole lines, each with the time since the Sentry
 * began. Works after lock-down.
 * @module
 */
import type { DescriptorMaker } from "../../ffi/files.ts";
import type { HostLog } from "../../kernel/host.ts";

/** More than one line of strace is long; a guest must not fill our memory. */
const MAX_LINE = 8192;

export class DescriptorLog implements HostLog {
  readonly isDebug: boolean;
  readonly isStrace: boolean;
  readonly #write: DescriptorMaker;
  readonly #fd: number;
  readonly #encoder = new TextEncoder();

  constructor(
    write: DescriptorMaker,
    fd: number,
    options: { readonly isDebug: boolean; readonly isStrace: boolean },
  ) {
    this.#write = write;
    this.#fd = fd;
    this.isDebug = options.isDebug;
    this.isStrace = options.isStrace;
  }

  info(message: string): void {
    if (this.isDebug) this.#line("info", message);
  }
  warn(message: string): void {
    if (this.isDebug) this.#line("warning", message);
  }
  debug(message: string): void {
    if (this.isDebug) this.#line("debug", message);
  }
  strace(line: string): void {
    if (this.isStrace) this.#line("strace", line);
  }

  #line(level: string, message: string): void {
    const seconds = (performance.now() / 1000).toFixed(6);
    const text = message.length > MAX_LINE
      ? `${message.slice(0, MAX_LINE)}...`
      : message;
    const bytes = this.#encoder.encode(`[${seconds}] ${level}: ${text}\n`);
    // A log that nobody reads any more must not end the sandbox.
    this.#write.write(this.#fd, bytes);
  }
}
