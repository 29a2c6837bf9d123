/**
 * struct termios as an object. Source: termios(3), uapi asm-generic/termbits.h.
 * @module
 */
import {
  B38400,
  BOTHER,
  CBAUD,
  CREAD,
  CS8,
  ECHO,
  ECHOCTL,
  ECHOE,
  ECHOK,
  ECHOKE,
  IBSHIFT,
  ICANON,
  ICRNL,
  IEXTEN,
  ISIG,
  IXON,
  N_TTY,
  NCCS,
  ONLCR,
  OPOST,
  TERMIO,
  TERMIO_SIZE,
  TERMIOS,
  TERMIOS2,
  TERMIOS2_SIZE,
  TERMIOS_SIZE,
  VDISCARD,
  VEOF,
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
  VWERASE,
} from "../../abi/termios.ts";

/** Bits per second of B0, B50, ..., B38400 and of B57600, B115200, ... */
const LOW_SPEEDS = [
  ...[0, 50, 75, 110, 134, 150, 200, 300, 600, 1200, 1800, 2400, 4800],
  ...[9600, 19200, 38400],
];
const HIGH_SPEEDS = [
  ...[0, 57600, 115200, 230400, 460800, 500000, 576000, 921600, 1000000],
  ...[1152000, 1500000, 2000000, 2500000, 3000000, 3500000, 4000000],
];

/** Characters of struct termio. */
const NCC = 8;
/** Where each of its flags is, there and in struct termios. */
const TERMIO_FLAGS = [
  ...[TERMIO.c_iflag, TERMIOS.c_iflag],
  ...[TERMIO.c_oflag, TERMIOS.c_oflag],
  ...[TERMIO.c_cflag, TERMIOS.c_cflag],
  ...[TERMIO.c_lflag, TERMIOS.c_lflag],
];

export class Termios {
  iflag = ICRNL | IXON;
  oflag = OPOST | ONLCR;
  cflag = B38400 | CS8 | CREAD;
  lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN;
  line = N_TTY;
  /** c_cc; 0 disables a character. */
  readonly cc = new Uint8Array(NCCS);
  /** Bits per second. */
  inputSpeed = 38400;
  outputSpeed = 38400;

  /** What a new pseudo terminal has. */
  constructor() {
    const { cc } = this;
    cc[VINTR] = 0x03;
    cc[VQUIT] = 0x1c;
    cc[VERASE] = 0x7f;
    cc[VKILL] = 0x15;
    cc[VEOF] = 0x04;
    cc[VMIN] = 1;
    cc[VSTART] = 0x11;
    cc[VSTOP] = 0x13;
    cc[VSUSP] = 0x1a;
    cc[VREPRINT] = 0x12;
    cc[VDISCARD] = 0x0f;
    cc[VWERASE] = 0x17;
    cc[VLNEXT] = 0x16;
  }

  /** The character at a V* index of c_cc. */
  char(index: number): number {
    return this.cc[index]!;
  }

  /** Bytes as TCGETS (or, `isTermios2`, TCGETS2) stores them. */
  encode(isTermios2: boolean): Uint8Array {
    const bytes = new Uint8Array(isTermios2 ? TERMIOS2_SIZE : TERMIOS_SIZE);
    const view = new DataView(bytes.buffer);
    view.setUint32(TERMIOS.c_iflag, this.iflag, true);
    view.setUint32(TERMIOS.c_oflag, this.oflag, true);
    view.setUint32(TERMIOS.c_cflag, this.cflag, true);
    view.setUint32(TERMIOS.c_lflag, this.lflag, true);
    view.setUint8(TERMIOS.c_line, this.line);
    bytes.set(this.cc, TERMIOS.c_cc);
    if (isTermios2) {
      view.setUint32(TERMIOS2.c_ispeed, this.inputSpeed, true);
      view.setUint32(TERMIOS2.c_ospeed, this.outputSpeed, true);
    }
    return bytes;
  }

  /** Bytes of the old struct termio, as TCGETA stores them: the low halves of
   * the flags and the first characters. */
  encodeTermio(): Uint8Array {
    const bytes = new Uint8Array(TERMIO_SIZE);
    const view = new DataView(bytes.buffer);
    view.setUint16(TERMIO.c_iflag, this.iflag & 0xffff, true);
    view.setUint16(TERMIO.c_oflag, this.oflag & 0xffff, true);
    view.setUint16(TERMIO.c_cflag, this.cflag & 0xffff, true);
    view.setUint16(TERMIO.c_lflag, this.lflag & 0xffff, true);
    view.setUint8(TERMIO.c_line, this.line);
    bytes.set(this.cc.subarray(0, NCC), TERMIO.c_cc);
    return bytes;
  }

  /** Takes over TERMIO_SIZE bytes of struct termio; what it lacks stays. */
  decodeTermio(termio: Uint8Array): void {
    const bytes = this.encode(false);
    for (let i = 0; i < TERMIO_FLAGS.length; i += 2) {
      const from = TERMIO_FLAGS[i]!;
      bytes.set(termio.subarray(from, from + 2), TERMIO_FLAGS[i + 1]!);
    }
    bytes[TERMIOS.c_line] = termio[TERMIO.c_line]!;
    bytes.set(termio.subarray(TERMIO.c_cc, TERMIO.c_cc + NCC), TERMIOS.c_cc);
    this.decode(bytes);
  }

  /** Takes over TERMIOS_SIZE or TERMIOS2_SIZE bytes. */
  decode(bytes: Uint8Array): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    this.iflag = view.getUint32(TERMIOS.c_iflag, true);
    this.oflag = view.getUint32(TERMIOS.c_oflag, true);
    // Pseudo terminals send whole bytes without parity.
    const cflag = view.getUint32(TERMIOS.c_cflag, true);
    this.cflag = (cflag & ~(0x30 | 0x100) | CS8 | CREAD) >>> 0;
    this.lflag = view.getUint32(TERMIOS.c_lflag, true);
    this.line = view.getUint8(TERMIOS.c_line);
    this.cc.set(bytes.subarray(TERMIOS.c_cc, TERMIOS.c_cc + NCCS));
    const hasSpeeds = bytes.length >= TERMIOS2_SIZE;
    const output = this.cflag & CBAUD;
    this.outputSpeed = output !== BOTHER
      ? speedOf(output)
      : hasSpeeds
      ? view.getUint32(TERMIOS2.c_ospeed, true)
      : this.outputSpeed;
    const input = (this.cflag >>> IBSHIFT) & CBAUD;
    this.inputSpeed = input === 0
      ? this.outputSpeed
      : input !== BOTHER
      ? speedOf(input)
      : hasSpeeds
      ? view.getUint32(TERMIOS2.c_ispeed, true)
      : this.inputSpeed;
  }

  /** Back to the state of a new terminal. */
  reset(): void {
    this.decode(new Termios().encode(true));
  }
}

function speedOf(code: number): number {
  const table = (code & BOTHER) !== 0 ? HIGH_SPEEDS : LOW_SPEEDS;
  return table[code & 0xf] ?? 38400;
}
