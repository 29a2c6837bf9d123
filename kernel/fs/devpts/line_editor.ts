/**
 * Editing of the unfinished line in canonical mode: VERASE, VWERASE, VKILL and
 * VREPRINT, with what they show on the screen. Source: termios(3), ECHOE,
 * ECHOK, ECHOKE, ECHOPRT, ECHOCTL.
 * @module
 */
import {
  ECHO,
  ECHOCTL,
  ECHOE,
  ECHOK,
  ECHOKE,
  ECHOPRT,
  VERASE,
  VKILL,
} from "../../abi/termios.ts";
import { isContinuation, type OutputQueue } from "./output_queue.ts";
import type { Termios } from "./termios.ts";

const BS = 0x08;
const TAB = 0x09;
const LF = 0x0a;
const SPACE = 0x20;
const SLASH = 0x2f;
const BACKSLASH = 0x5c;
const UNDERSCORE = 0x5f;

/** The part of the line discipline that is edited. */
export interface EditedLine {
  readonly termios: Termios;
  readonly output: OutputQueue;
  head: number;
  readonly canonHead: number;
  cellAt(count: number): number;
  echoChar(c: number): void;
}

export class LineEditor {
  readonly #line: EditedLine;
  /** Column where the unfinished line begins on the screen. */
  startColumn = 0;
  /** ECHOPRT: the bytes erased so far stand between \ and /. */
  #isErasing = false;

  constructor(line: EditedLine) {
    this.#line = line;
  }

  /** The line is gone. */
  reset(): void {
    this.#isErasing = false;
  }

  /** Takes a piece off the end of the line. Nothing becomes readable. */
  erase(piece: "character" | "word" | "line"): false {
    const line = this.#line;
    const { lflag, cc } = line.termios;
    if (line.head === line.canonHead) return false;
    if (piece === "line" && !this.#showsEachCharacter) {
      line.head = line.canonHead;
      if ((lflag & ECHO) === 0) return false;
      this.finishErasing();
      line.echoChar(cc[VKILL]!);
      // With ECHOK the rest of the screen line stays as it is.
      if ((lflag & ECHOK) !== 0) line.output.echo(LF);
      return false;
    }
    let hasSeenWord = false;
    while (line.head !== line.canonHead) {
      let start = line.head - 1;
      while (start !== line.canonHead && this.#isInside(start)) start--;
      if (this.#isInside(start)) break;
      const c = line.cellAt(start) & 0xff;
      if (piece === "word") {
        if (isWordByte(c)) hasSeenWord = true;
        else if (hasSeenWord) break;
      }
      const end = line.head;
      line.head = start;
      if ((lflag & ECHO) !== 0) this.#showErased(c, start, end, piece);
      if (piece === "character") break;
    }
    if (line.head === line.canonHead && (lflag & ECHO) !== 0) {
      this.finishErasing();
    }
    return false;
  }

  /** VREPRINT: shows the unfinished line again on a new one. */
  reprint(c: number): false {
    const line = this.#line;
    this.finishErasing();
    line.echoChar(c);
    line.output.echo(LF);
    for (let at = line.canonHead; at < line.head; at++) {
      line.echoChar(line.cellAt(at) & 0xff);
    }
    return false;
  }

  /** ECHOPRT: closes the text that was erased. */
  finishErasing(): void {
    if (!this.#isErasing) return;
    this.#line.output.echo(SLASH);
    this.#isErasing = false;
  }

  /** VKILL erases one by one instead of showing itself. */
  get #showsEachCharacter(): boolean {
    const all = ECHO | ECHOK | ECHOKE | ECHOE;
    return (this.#line.termios.lflag & all) === all;
  }

  #isInside(count: number): boolean {
    return isContinuation(
      this.#line.cellAt(count) & 0xff,
      this.#line.termios,
    );
  }

  #showErased(
    c: number,
    start: number,
    end: number,
    piece: "character" | "word" | "line",
  ): void {
    const line = this.#line;
    const { output } = line;
    const { lflag, cc } = line.termios;
    if ((lflag & ECHOPRT) !== 0) {
      if (!this.#isErasing) {
        output.echo(BACKSLASH);
        this.#isErasing = true;
      }
      line.echoChar(c);
      for (let at = start + 1; at < end; at++) {
        output.echo(line.cellAt(at) & 0xff);
      }
    } else if (piece === "character" && (lflag & ECHOE) === 0) {
      line.echoChar(cc[VERASE]!);
    } else if (c === TAB) {
      this.#eraseTab(start);
    } else {
      const isControl = c < SPACE || c === 0x7f;
      const isShownAsTwo = isControl && (lflag & ECHOCTL) !== 0;
      if (isShownAsTwo) this.#eraseColumn();
      if (!isControl || isShownAsTwo) this.#eraseColumn();
    }
  }

  #eraseColumn(): void {
    const { output } = this.#line;
    output.echoRaw(BS);
    output.echo(SPACE);
    output.echoRaw(BS);
  }

  /** Goes back to where the tab at `tab` began. */
  #eraseTab(tab: number): void {
    const line = this.#line;
    let columns = 0;
    let isAfterTab = false;
    for (let at = tab - 1; at >= line.canonHead; at--) {
      const c = line.cellAt(at) & 0xff;
      if (c === TAB) {
        isAfterTab = true;
        break;
      }
      if (c < SPACE || c === 0x7f) {
        if ((line.termios.lflag & ECHOCTL) !== 0) columns += 2;
      } else if (!isContinuation(c, line.termios)) columns++;
    }
    if (!isAfterTab) columns += this.startColumn;
    for (let i = 8 - (columns & 7); i > 0; i--) line.output.echoRaw(BS);
  }
}

function isWordByte(c: number): boolean {
  return (c >= 0x30 && c <= 0x39) || (c >= 0x41 && c <= 0x5a) ||
    (c >= 0x61 && c <= 0x7a) || c === UNDERSCORE || c >= 0xc0;
}
