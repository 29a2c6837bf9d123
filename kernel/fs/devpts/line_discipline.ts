/**
 * N_TTY: the line discipline between what is typed and what a program reads:
 * line editing, echo, signals and flow control characters. Editing is in
 * line_editor.ts, the way out in output_queue.ts. Source: termios(3).
 *
 * Input is a ring of cells. In canonical mode a program sees only the cells
 * before `canonHead`, the end of the last finished line; what follows is still
 * being edited.
 * @module
 */
import { type Errno, isErrno } from "../../abi/errno.ts";
import { SIGINT, SIGQUIT, SIGTSTP } from "../../abi/signal.ts";
import {
  ECHO,
  ECHOCTL,
  ECHONL,
  ICANON,
  ICRNL,
  IEXTEN,
  IGNCR,
  INLCR,
  ISIG,
  ISTRIP,
  IUCLC,
  IXANY,
  IXON,
  NOFLSH,
  PARMRK,
  VEOF,
  VEOL,
  VEOL2,
  VERASE,
  VINTR,
  VKILL,
  VLNEXT,
  VMIN,
  VQUIT,
  VREPRINT,
  VSTART,
  VSTOP,
  VSUSP,
  VTIME,
  VWERASE,
} from "../../abi/termios.ts";
import type { IoBuffer } from "../../mm/io_buffer.ts";
import { LineEditor } from "./line_editor.ts";
import type { OutputQueue } from "./output_queue.ts";
import type { Termios } from "./termios.ts";

/** Cells of the input ring. */
export const INPUT_SIZE = 4096;
const INPUT_MASK = INPUT_SIZE - 1;
/** Cell flags beside the byte: this cell ends a line; it is an end of file,
 * which no program reads. */
export const LINE_END = 0x100;
export const END_OF_FILE = 0x200;
const DECISECOND_NS = 1e8;

const LF = 0x0a;
const CR = 0x0d;
const BS = 0x08;
const CARET = 0x5e;

/** What the discipline asks of its terminal. */
export interface DisciplineOwner {
  /** A signal character was typed: to the foreground group. */
  signalForeground(signo: number): void;
  /** Discards output that the other side has not read. */
  flushOutput(): void;
  /** Flow control: VSTOP and VSTART. */
  stopOutput(): void;
  startOutput(): void;
  readonly isOutputStopped: boolean;
}

/** Bytes on their way to a reader; used within one call only. */
const outgoing = new Uint8Array(INPUT_SIZE);

export class LineDiscipline {
  readonly termios: Termios;
  readonly output: OutputQueue;
  /** Ring of cells: a byte, maybe with LINE_END or END_OF_FILE. */
  readonly cells = new Uint16Array(INPUT_SIZE);
  // Cell counts since the start; a cell's place is the count modulo the size.
  head = 0;
  canonHead = 0;
  tail = 0;
  /** CLOCK_MONOTONIC ns of the last byte that came in, for VTIME. */
  lastInputNs = 0;

  readonly #owner: DisciplineOwner;
  readonly #editor: LineEditor;
  /** VLNEXT was typed: the next byte has no meaning. */
  #isLiteral = false;

  constructor(termios: Termios, output: OutputQueue, owner: DisciplineOwner) {
    this.termios = termios;
    this.output = output;
    this.#owner = owner;
    this.#editor = new LineEditor(this);
  }

  get isCanonical(): boolean {
    return (this.termios.lflag & ICANON) !== 0;
  }

  cellAt(count: number): number {
    return this.cells[count & INPUT_MASK]!;
  }

  /** True if receive() can take a byte now. An unfinished line never blocks
   * input, so that it can still be erased. */
  get hasRoom(): boolean {
    if (this.head - this.tail < INPUT_SIZE - 1) return true;
    return this.isCanonical && this.canonHead === this.tail;
  }

  /** FIONREAD: bytes that a program could read. */
  get readable(): number {
    if (!this.isCanonical) return this.head - this.tail;
    let count = 0;
    for (let at = this.tail; at < this.canonHead; at++) {
      if ((this.cellAt(at) & END_OF_FILE) === 0) count++;
    }
    return count;
  }

  /** True if a read would return: for poll(2) without waiting for VTIME. */
  get hasInput(): boolean {
    if (this.isCanonical) return this.canonHead !== this.tail;
    const { cc } = this.termios;
    const minimum = cc[VTIME] === 0 && cc[VMIN]! > 0 ? cc[VMIN]! : 1;
    return this.head - this.tail >= Math.min(minimum, INPUT_SIZE - 1);
  }

  /** A byte from the other side. True if a reader may have something new. */
  receive(input: number): boolean {
    const { iflag, lflag, cc } = this.termios;
    let c = input;
    if ((iflag & ISTRIP) !== 0) c &= 0x7f;
    if ((iflag & IUCLC) !== 0 && (lflag & IEXTEN) !== 0) {
      if (c >= 0x41 && c <= 0x5a) c += 0x20;
    }
    if (this.#isLiteral) {
      this.#isLiteral = false;
      return this.#receivePlain(c);
    }
    if (c !== 0 && (iflag & IXON) !== 0) {
      if (c === cc[VSTART]) {
        this.#owner.startOutput();
        return false;
      }
      if (c === cc[VSTOP]) {
        this.#owner.stopOutput();
        return false;
      }
    }
    if ((lflag & ISIG) !== 0 && c !== 0) {
      const signo = c === cc[VINTR]
        ? SIGINT
        : c === cc[VQUIT]
        ? SIGQUIT
        : c === cc[VSUSP]
        ? SIGTSTP
        : 0;
      if (signo !== 0) {
        this.#receiveSignal(signo, c);
        return false;
      }
    }
    if (this.#owner.isOutputStopped && (iflag & IXON) && (iflag & IXANY)) {
      this.#owner.startOutput();
    }
    if (c === CR) {
      if ((iflag & IGNCR) !== 0) return false;
      if ((iflag & ICRNL) !== 0) c = LF;
    } else if (c === LF && (iflag & INLCR) !== 0) c = CR;
    return (lflag & ICANON) !== 0 ? this.#edit(c) : this.#receivePlain(c);
  }

  #receiveSignal(signo: number, c: number): void {
    const { lflag, iflag } = this.termios;
    if ((lflag & NOFLSH) === 0) {
      this.flushInput();
      this.#owner.flushOutput();
    }
    this.#owner.signalForeground(signo);
    if ((iflag & IXON) !== 0) this.#owner.startOutput();
    if ((lflag & ECHO) !== 0) this.echoChar(c);
  }

  /** A byte without meaning, or any byte outside canonical mode. */
  #receivePlain(c: number): boolean {
    const { lflag } = this.termios;
    if ((lflag & ECHO) !== 0) {
      this.#editor.finishErasing();
      if (c === LF) this.output.echo(LF);
      else {
        this.#noteLineStart();
        this.echoChar(c);
      }
    }
    this.#put(c);
    return (lflag & ICANON) === 0;
  }

  /** Canonical mode: editing characters, line ends, everything else. */
  #edit(c: number): boolean {
    const { lflag, cc } = this.termios;
    const isExtended = (lflag & IEXTEN) !== 0;
    const isEchoing = (lflag & ECHO) !== 0;
    // 0 disables a special character, so NUL is never one.
    if (c !== 0) {
      if (c === cc[VERASE]) return this.#editor.erase("character");
      if (c === cc[VKILL]) return this.#editor.erase("line");
      if (isExtended) {
        if (c === cc[VWERASE]) return this.#editor.erase("word");
        if (c === cc[VLNEXT]) return this.#beginLiteral();
        if (c === cc[VREPRINT] && isEchoing) return this.#editor.reprint(c);
      }
      if (c === cc[VEOF]) return this.#finishLine(LINE_END | END_OF_FILE);
    }
    if (c === LF) {
      if ((lflag & (ECHO | ECHONL)) !== 0) this.output.echo(LF);
      return this.#finishLine(LINE_END | LF);
    }
    if (c !== 0 && (c === cc[VEOL] || (isExtended && c === cc[VEOL2]))) {
      if (isEchoing) {
        this.#noteLineStart();
        this.echoChar(c);
      }
      return this.#finishLine(LINE_END | c);
    }
    return this.#receivePlain(c);
  }

  #beginLiteral(): boolean {
    this.#isLiteral = true;
    const { lflag } = this.termios;
    if ((lflag & ECHO) !== 0) {
      this.#editor.finishErasing();
      if ((lflag & ECHOCTL) !== 0) {
        this.output.echoRaw(CARET);
        this.output.echoRaw(BS);
      }
    }
    return false;
  }

  #finishLine(cell: number): boolean {
    // An overlong line gives up its last byte for its end.
    if (this.head - this.tail >= INPUT_SIZE) this.head--;
    this.cells[this.head & INPUT_MASK] = cell;
    this.head++;
    this.canonHead = this.head;
    return true;
  }

  #put(c: number): void {
    const { iflag } = this.termios;
    if (c === 0xff && (iflag & (PARMRK | ISTRIP)) === PARMRK) this.#store(c);
    this.#store(c);
  }

  /** A full buffer drops what comes; only overlong lines meet this. */
  #store(c: number): void {
    if (this.head - this.tail >= INPUT_SIZE - 1) return;
    this.cells[this.head & INPUT_MASK] = c;
    this.head++;
  }

  #noteLineStart(): void {
    if (this.canonHead === this.head) {
      this.#editor.startColumn = this.output.column;
    }
  }

  /** Echoes a byte, control characters as ^X with ECHOCTL. */
  echoChar(c: number): void {
    if (
      (this.termios.lflag & ECHOCTL) !== 0 && isControl(c) && c !== 0x09
    ) {
      this.output.echo(CARET);
      this.output.echo(c ^ 0x40);
    } else this.output.echo(c);
  }

  /** Drops everything that was typed and not read. */
  flushInput(): void {
    this.tail = this.canonHead = this.head;
    this.#isLiteral = false;
    this.#editor.reset();
  }

  /** termios changed. Leaving canonical mode, or entering it, turns what is
   * there into a line that can be read. */
  modeChanged(wasCanonical: boolean): void {
    if (wasCanonical === this.isCanonical) return;
    this.canonHead = this.head;
    this.#isLiteral = false;
    this.#editor.reset();
    if (!this.isCanonical || this.head === this.tail) return;
    this.cells[(this.head - 1) & INPUT_MASK]! |= LINE_END;
  }

  /**
   * Reads what a program may have now: a line or part of it in canonical mode,
   * else as VMIN and VTIME say. Null: wait; `wakeAtNs` then is when VTIME ends
   * the wait, Infinity if never. `nowNs`: CLOCK_MONOTONIC.
   */
  read(io: IoBuffer, nowNs: number): number | Errno | null {
    this.wakeAtNs = Infinity;
    if (this.isCanonical) {
      return this.canonHead === this.tail ? null : this.#readLine(io);
    }
    const available = this.head - this.tail;
    const { cc } = this.termios;
    const minimum = cc[VMIN]!;
    if (minimum === 0) {
      // VTIME here bounds the whole read: see readTimeoutNs.
      if (available > 0) return this.#copyOut(io, available);
      return cc[VTIME] === 0 ? 0 : null;
    }
    const needed = Math.min(minimum, io.remaining, INPUT_SIZE - 1);
    if (available >= needed) return this.#copyOut(io, available);
    if (available === 0 || cc[VTIME] === 0) return null;
    const dueNs = this.lastInputNs + cc[VTIME]! * DECISECOND_NS;
    if (nowNs >= dueNs) return this.#copyOut(io, available);
    this.wakeAtNs = dueNs;
    return null;
  }
  wakeAtNs = Infinity;

  /** How long a read with VMIN 0 waits for its first byte, ns. */
  get readTimeoutNs(): number {
    const { cc } = this.termios;
    if (this.isCanonical || cc[VMIN] !== 0) return Infinity;
    return cc[VTIME]! * DECISECOND_NS;
  }

  #readLine(io: IoBuffer): number | Errno {
    const room = Math.min(io.remaining, INPUT_SIZE);
    let at = this.tail;
    let count = 0;
    while (at < this.canonHead) {
      const cell = this.cellAt(at);
      if ((cell & END_OF_FILE) !== 0) {
        at++;
        break;
      }
      if (count === room) break;
      outgoing[count++] = cell & 0xff;
      at++;
      if ((cell & LINE_END) !== 0) break;
    }
    const put = io.put(outgoing, 0, count);
    if (isErrno(put)) return put;
    this.tail = put === count ? at : this.tail + put;
    return put;
  }

  #copyOut(io: IoBuffer, available: number): number | Errno {
    const count = Math.min(available, io.remaining);
    for (let i = 0; i < count; i++) {
      outgoing[i] = this.cellAt(this.tail + i) & 0xff;
    }
    const put = io.put(outgoing, 0, count);
    if (isErrno(put)) return put;
    this.tail += put;
    if (this.tail > this.canonHead) this.canonHead = this.tail;
    return put;
  }
}

/** A C0 control or DEL, as iscntrl() of the kernel. */
export function isControl(c: number): boolean {
  return c < 0x20 || c === 0x7f;
}
