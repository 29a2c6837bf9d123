/**
 * Output processing of the terminal line discipline: what a program writes, or
 * what is echoed, becomes the bytes that the other side reads. Source:
 * termios(3), c_oflag.
 * @module
 */
import {
  IUTF8,
  OCRNL,
  OLCUC,
  ONLCR,
  ONLRET,
  ONOCR,
  OPOST,
  TABDLY,
  XTABS,
} from "../../abi/termios.ts";
import { ByteQueue } from "./byte_queue.ts";
import type { Termios } from "./termios.ts";

/** Bytes that a program may write before the other side reads. */
const OUTPUT_CAPACITY = 65536;
/** Bytes that one written byte may become: a tab. */
const WORST_EXPANSION = 8;
/** Room beyond the capacity for echo, which cannot wait. */
const ECHO_RESERVE = 4096;

const BS = 0x08;
const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;

/** A byte of UTF-8 that belongs to the character before it. */
export function isContinuation(byte: number, termios: Termios): boolean {
  return (termios.iflag & IUTF8) !== 0 && (byte & 0xc0) === 0x80;
}

/** Marks a held byte that skips output processing. */
const RAW = 0x100;

export class OutputQueue {
  /** What the other side reads. */
  readonly bytes = new ByteQueue(OUTPUT_CAPACITY);
  /** Echo that waits while output is stopped. */
  readonly #held: number[] = [];
  #isStopped = false;
  /** Column of the cursor, as far as the bytes tell. */
  column = 0;

  constructor(readonly termios: Termios) {}

  /** True if another written byte surely fits. */
  get hasRoom(): boolean {
    return this.bytes.room >= WORST_EXPANSION;
  }

  /** Processes bytes that a program wrote; how many of them fitted. */
  write(from: Uint8Array, length: number): number {
    const { oflag } = this.termios;
    for (let i = 0; i < length; i++) {
      if (this.bytes.room < WORST_EXPANSION) return i;
      if ((oflag & OPOST) !== 0) this.#process(from[i]!, oflag);
      else this.bytes.push(from[i]!);
    }
    return length;
  }

  /** Echoes a byte with output processing; drops it if nobody reads. */
  echo(byte: number): void {
    if (this.#isStopped) return this.#hold(byte);
    if (this.bytes.room <= -ECHO_RESERVE) return;
    const { oflag } = this.termios;
    if ((oflag & OPOST) !== 0) this.#process(byte, oflag);
    else this.bytes.push(byte);
  }

  /** Echoes a byte as it is, such as the backspaces that erase a tab. */
  echoRaw(byte: number): void {
    if (this.#isStopped) return this.#hold(byte | RAW);
    if (this.bytes.room <= -ECHO_RESERVE) return;
    if (byte === BS && this.column > 0) this.column--;
    this.bytes.push(byte);
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }
  /** Flow control: nothing more goes out until start(). */
  stop(): void {
    this.#isStopped = true;
  }
  start(): void {
    this.#isStopped = false;
    for (const byte of this.#held.splice(0)) {
      if (byte >= RAW) this.echoRaw(byte & 0xff);
      else this.echo(byte);
    }
  }
  /** Discards what the other side has not read. */
  flush(): void {
    this.bytes.clear();
    this.#held.length = 0;
  }

  #hold(byte: number): void {
    if (this.#held.length < ECHO_RESERVE) this.#held.push(byte);
  }

  #process(byte: number, oflag: number): void {
    let out = byte;
    switch (byte) {
      case LF:
        if ((oflag & ONLRET) !== 0) this.column = 0;
        if ((oflag & ONLCR) !== 0) {
          this.column = 0;
          this.bytes.push(CR);
        }
        break;
      case CR:
        if ((oflag & ONOCR) !== 0 && this.column === 0) return;
        if ((oflag & OCRNL) !== 0) {
          out = LF;
          if ((oflag & ONLRET) !== 0) this.column = 0;
        } else this.column = 0;
        break;
      case TAB: {
        const spaces = 8 - (this.column & 7);
        this.column += spaces;
        if ((oflag & TABDLY) === XTABS) {
          for (let i = 0; i < spaces; i++) this.bytes.push(SPACE);
          return;
        }
        break;
      }
      case BS:
        if (this.column > 0) this.column--;
        break;
      default:
        if (byte < SPACE || byte === 0x7f) break;
        if ((oflag & OLCUC) !== 0 && byte >= 0x61 && byte <= 0x7a) {
          out = byte - 0x20;
        }
        if (!isContinuation(byte, this.termios)) this.column++;
    }
    this.bytes.push(out);
  }
}
