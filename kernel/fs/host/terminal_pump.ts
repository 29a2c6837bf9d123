/**
 * TerminalPump: the other side of the sandbox's terminal is a terminal of the
 * host, which the CLI has put into raw mode. The pump holds the master of a pty
 * and carries bytes between it and the host's descriptors; all editing, echo
 * and job control happen in the sandbox's own line discipline.
 *
 * It runs between system calls, when the host has input or room, or the pty has
 * output or room. An end of input or a host error hangs up the terminal.
 * @module
 */
import { EAGAIN, errnoFromCode } from "../../abi/errno.ts";
import { POLLERR, POLLHUP, POLLIN, POLLOUT } from "../../abi/poll.ts";
import type { HostFd, HostFiles, HostMemory } from "../../host.ts";
import { Waiter } from "../../sync/wait_queue.ts";
import type { Pty } from "../devpts/pty.ts";
import type {
  DeferredWork,
  HostListener,
  HostReadiness,
} from "./host_readiness.ts";

/** Bytes moved at a time: the size of the scratch range. */
export const PUMP_CHUNK = 4096;

/** What a pump is made of. */
export interface TerminalPumpOptions {
  readonly pty: Pty;
  /** Where to read what is typed, and to write what is shown; may be the same
   * descriptor. The pump does not close them. */
  readonly input: HostFd;
  readonly output: HostFd;
  readonly files: HostFiles;
  readonly readiness: HostReadiness;
  readonly memory: HostMemory;
  /** Memory-file offset of PUMP_CHUNK bytes that are the pump's alone. */
  readonly scratch: number;
}

/** Hears of the pty's output and room. */
class MasterWaiter extends Waiter {
  constructor(readonly pump: TerminalPump) {
    super();
  }
  override notify(): boolean {
    this.pump.schedule();
    return true;
  }
}

export class TerminalPump implements HostListener, DeferredWork {
  readonly #options: TerminalPumpOptions;
  readonly #waiter = new MasterWaiter(this);
  readonly #chunk = new Uint8Array(PUMP_CHUNK);
  /** Bytes in #chunk of #unwrittenFrom.. that the host has not taken. */
  #unwrittenFrom = 0;
  #unwrittenTo = 0;
  readonly #typed = new Uint8Array(PUMP_CHUNK);
  // Edges seen and not yet followed by EAGAIN.
  #isInputReady = true;
  #isOutputReady = true;
  #isScheduled = false;
  #isClosed = false;

  constructor(options: TerminalPumpOptions) {
    this.#options = options;
    const { pty, input, output, readiness } = options;
    // What is always ready gives no edges: EAGAIN never happens there either.
    readiness.watch(input, POLLIN | POLLOUT, this);
    if (output !== input) readiness.watch(output, POLLOUT, this);
    pty.tty.masterQueue.add(this.#waiter, POLLIN | POLLOUT | POLLHUP);
    this.updateWindowSize();
    this.schedule();
  }

  onHostEvents(events: number): void {
    if ((events & (POLLIN | POLLHUP | POLLERR)) !== 0) {
      this.#isInputReady = true;
    }
    if ((events & (POLLOUT | POLLHUP | POLLERR)) !== 0) {
      this.#isOutputReady = true;
    }
    this.schedule();
  }

  /** Runs before the kernel sleeps. */
  schedule(): void {
    if (this.#isScheduled || this.#isClosed) return;
    this.#isScheduled = true;
    this.#options.readiness.defer(this);
  }

  run(): void {
    this.#isScheduled = false;
    if (this.#isClosed) return;
    this.#pumpInput();
    this.#pumpOutput();
  }

  /** The host's window changed (SIGWINCH), or the pump begins. */
  updateWindowSize(): void {
    const { files, output, pty } = this.#options;
    const size = files.getWindowSize(output);
    if (typeof size === "number") return;
    const [rows, columns, xpixel, ypixel] = size;
    pty.tty.setWindowSize({ rows, columns, xpixel, ypixel });
  }

  /** Writes what the pty still holds; true if the host took everything. */
  flush(): boolean {
    this.#isOutputReady = true;
    this.#pumpOutput();
    return this.#isClosed || (this.#unwrittenTo === 0 &&
      this.#options.pty.tty.output.bytes.length === 0);
  }

  /** Ends the pump and hangs up the terminal. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const { pty, readiness, input, output } = this.#options;
    readiness.unwatch(input);
    readiness.unwatch(output);
    pty.tty.masterQueue.remove(this.#waiter);
    pty.close();
  }

  #pumpInput(): void {
    const { pty, files, input, memory, scratch } = this.#options;
    const { staged } = pty.tty;
    while (this.#isInputReady && staged.room > 0 && !this.#isClosed) {
      const room = Math.min(PUMP_CHUNK, staged.room);
      const count = files.read(input, scratch, room, -1);
      if (count > 0) {
        memory.read(scratch, this.#typed.subarray(0, count));
        pty.receive(this.#typed, count);
      } else if (count < 0 && errnoFromCode(count) === EAGAIN) {
        this.#isInputReady = false;
      } else this.close();
    }
  }

  #pumpOutput(): void {
    const { pty, files, output, memory, scratch } = this.#options;
    const { tty } = pty;
    while (this.#isOutputReady && !this.#isClosed) {
      if (this.#unwrittenTo === 0) {
        this.#unwrittenTo = tty.output.bytes.takeInto(this.#chunk);
        this.#unwrittenFrom = 0;
        if (this.#unwrittenTo === 0) return;
        tty.outputRemoved();
      }
      const length = this.#unwrittenTo - this.#unwrittenFrom;
      const rest = this.#chunk.subarray(this.#unwrittenFrom, this.#unwrittenTo);
      memory.write(scratch, rest);
      const count = files.write(output, scratch, length, -1);
      if (count >= 0) {
        this.#unwrittenFrom += count;
        if (this.#unwrittenFrom === this.#unwrittenTo) this.#unwrittenTo = 0;
      } else if (errnoFromCode(count) === EAGAIN) this.#isOutputReady = false;
      else this.close();
    }
  }
}
