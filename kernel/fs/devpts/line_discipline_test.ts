import { assertEquals, assertStrictEquals } from "@std/assert";
import { SIGINT, SIGTSTP } from "../../abi/signal.ts";
import {
  ECHO,
  ECHOCTL,
  ECHOE,
  ECHOKE,
  ECHOPRT,
  ICANON,
  IGNCR,
  IUTF8,
  NOFLSH,
  VEOL,
  VMIN,
  VTIME,
  XTABS,
} from "../../abi/termios.ts";
import { TimerQueue } from "../../time/timer_queue.ts";
import { FakeCaller } from "../fake_caller.ts";
import { Tty } from "./tty.ts";

/** A terminal whose keyboard and screen the test has. */
function setUp() {
  const caller = new FakeCaller();
  const timers = new TimerQueue();
  const tty = new Tty(0, { clock: caller.clock, timers });
  const type = (text: string) => {
    for (const c of text) tty.staged.push(c.charCodeAt(0));
    tty.processInput();
  };
  const screen = () => {
    let text = "";
    for (let c = tty.output.bytes.shift(); c >= 0;) {
      text += String.fromCharCode(c);
      c = tty.output.bytes.shift();
    }
    return text;
  };
  /** Text, or null where a program would wait. */
  const read = (length = 100) => {
    const result = tty.discipline.read(caller.room(length), tty.nowNs);
    return typeof result === "number" ? caller.text(result) : result;
  };
  const print = (text: string) => {
    const bytes = Uint8Array.from(text, (c) => c.charCodeAt(0));
    return tty.output.write(bytes, bytes.length);
  };
  return { caller, timers, tty, type, screen, read, print };
}

Deno.test("LineDiscipline gives a line once it ends, and echoes it", () => {
  const { type, screen, read, tty } = setUp();
  type("ls");
  assertEquals(read(), null);
  type(" -l\rnext\r");
  assertEquals(screen(), "ls -l\r\nnext\r\n");
  assertEquals(tty.discipline.readable, 11);
  assertEquals(read(3), "ls ");
  assertEquals(read(), "-l\n");
  assertEquals(read(), "next\n");
  assertEquals(read(), null);
});

Deno.test("VEOF ends a line without being read, alone it is the end", () => {
  const { type, read } = setUp();
  type("abc\x04");
  assertEquals(read(3), "abc");
  assertEquals(read(), null);
  type("\x04");
  assertEquals(read(), "");
  assertEquals(read(), null);
});

Deno.test("VERASE, VWERASE and VKILL edit the line and the screen", () => {
  const { type, screen, read } = setUp();
  type("ab\x7f");
  assertEquals(screen(), "ab\b \b");
  type("c\x01\x7f");
  assertEquals(screen(), "c^A\b \b\b \b");
  type(" two  words \x17");
  assertEquals(screen(), " two  words " + "\b \b".repeat(6));
  type("\x15");
  assertEquals(screen(), "\b \b".repeat(8));
  type("\x7f\x15");
  assertEquals(screen(), "");
  type("ok\r");
  assertEquals(read(), "ok\n");
});

Deno.test("A tab is erased back to where it began", () => {
  const { type, screen, print } = setUp();
  print("$ ");
  type("a\t");
  assertEquals(screen(), "$ a\t");
  type("\x7f");
  assertEquals(screen(), "\b".repeat(5));
});

Deno.test("VERASE takes a whole character with IUTF8", () => {
  const { type, screen, read, tty } = setUp();
  tty.termios.iflag |= IUTF8;
  type("\xc3\xa9\x7fx\r");
  assertEquals(screen(), "\xc3\xa9\b \bx\r\n");
  assertEquals(read(), "x\n");
});

Deno.test("VKILL without ECHOKE shows itself and a new line", () => {
  const { type, screen, read, tty } = setUp();
  tty.termios.lflag &= ~ECHOKE;
  type("abc\x15d\r");
  assertEquals(screen(), "abc^U\r\nd\r\n");
  assertEquals(read(), "d\n");
});

Deno.test("ECHOPRT shows what is erased between \\ and /", () => {
  const { type, screen, tty } = setUp();
  tty.termios.lflag |= ECHOPRT;
  tty.termios.lflag &= ~ECHOE;
  type("abc\x7f\x7fx");
  assertEquals(screen(), "abc\\cb/x");
});

Deno.test("VLNEXT takes the next byte as it is", () => {
  const { type, screen, read, tty } = setUp();
  type("a\x16\x03\x16\x04b\r");
  assertEquals(screen(), "a^\b^C^\b^Db\r\n");
  assertEquals(read(), "a\x03\x04b\n");
  assertEquals(tty.foregroundGroup, 0);
});

Deno.test("VREPRINT shows the line again", () => {
  const { type, screen } = setUp();
  type("ab\x12");
  assertEquals(screen(), "ab^R\r\nab");
});

Deno.test("Signal characters signal the foreground group and flush", () => {
  const { caller, type, screen, read, tty } = setUp();
  tty.attach(caller.jobControl);
  tty.foregroundGroup = 7;
  type("half");
  screen();
  type("\x03");
  assertEquals(screen(), "^C");
  type("x\r");
  assertEquals(read(), "x\n");
  tty.termios.lflag |= NOFLSH;
  type("keep\x1a\r");
  assertEquals(read(), "keep\n");
  assertEquals(caller.jobControl.sent, [
    { group: 7, signo: SIGINT },
    { group: 7, signo: SIGTSTP },
  ]);
});

Deno.test("VSTOP holds output and echo until VSTART", () => {
  const { type, screen, print, tty } = setUp();
  type("\x13");
  assertEquals(tty.canWrite, false);
  type("ab");
  assertEquals(screen(), "");
  type("\x11");
  assertEquals(screen(), "ab");
  assertEquals(tty.canWrite, true);
  assertEquals(print("x"), 1);
});

Deno.test("c_iflag maps line ends, and VEOL adds one", () => {
  const { type, read, tty } = setUp();
  tty.termios.cc[VEOL] = 0x3b;
  type("a;b\r");
  assertEquals([read(), read()], ["a;", "b\n"]);
  tty.termios.iflag |= IGNCR;
  type("c\rd\n");
  assertEquals(read(), "cd\n");
});

Deno.test("c_oflag turns LF into CRLF and tabs into spaces", () => {
  const { print, screen, tty } = setUp();
  tty.termios.oflag |= XTABS;
  print("ab\tc\n\td");
  assertEquals(screen(), "ab      c\r\n        d");
  tty.termios.oflag = 0;
  print("\n");
  assertEquals(screen(), "\n");
});

Deno.test("A line longer than the buffer loses its surplus, not its end", () => {
  const { type, read } = setUp();
  type("x".repeat(5000) + "\r");
  assertEquals(read(5000), "x".repeat(4095) + "\n");
});

Deno.test("VMIN counts bytes outside canonical mode", () => {
  const { type, read, tty } = setUp();
  tty.termios.lflag &= ~(ICANON | ECHO);
  tty.termios.cc[VMIN] = 3;
  type("ab");
  assertEquals(read(), null);
  assertEquals(tty.discipline.hasInput, false);
  assertEquals(read(2), "ab");
  type("cde");
  assertEquals(tty.discipline.hasInput, true);
  assertEquals(read(), "cde");
  tty.termios.cc[VMIN] = 0;
  assertEquals(read(), "");
});

Deno.test("VTIME ends a read between bytes, or one without any", () => {
  const { caller, timers, type, read, tty } = setUp();
  tty.termios.lflag &= ~(ICANON | ECHO);
  tty.termios.cc[VMIN] = 5;
  tty.termios.cc[VTIME] = 2;
  type("ab");
  assertEquals(read(), null);
  assertEquals(tty.discipline.wakeAtNs, caller.hostClock.nowNs + 2e8);
  tty.wakeReadersAt(tty.discipline.wakeAtNs);
  assertEquals(timers.nextDeadlineNs, caller.hostClock.nowNs + 2e8);
  caller.hostClock.nowNs += 2e8;
  assertEquals(read(), "ab");
  assertEquals(read(), null);
  assertStrictEquals(tty.discipline.wakeAtNs, Infinity);
  tty.termios.cc[VMIN] = 0;
  assertEquals(tty.discipline.readTimeoutNs, 2e8);
});

Deno.test("Leaving and entering canonical mode keeps what was typed", () => {
  const { type, read, tty } = setUp();
  type("abc");
  tty.termios.lflag &= ~ICANON;
  tty.discipline.modeChanged(true);
  assertEquals(read(), "abc");
  type("de");
  tty.termios.lflag |= ICANON;
  tty.discipline.modeChanged(false);
  assertEquals(read(), "de");
});

Deno.test("Echo of control characters follows ECHOCTL", () => {
  const { type, screen, tty } = setUp();
  tty.termios.lflag &= ~ECHOCTL;
  type("\x01\x7f");
  assertEquals(screen(), "\x01");
});

Deno.test("Any bytes at all leave the discipline consistent", () => {
  const seed = 20240;
  let state = seed;
  const random = (below: number) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return Math.floor(state / 65536) % below;
  };
  const { caller, tty, type, screen } = setUp();
  for (let round = 0; round < 3000; round++) {
    const action = random(10);
    if (action < 6) {
      let text = "";
      for (let i = random(200); i > 0; i--) {
        text += String.fromCharCode(random(256));
      }
      type(text);
    } else if (action < 8) {
      const before = tty.discipline.readable;
      const got = tty.discipline.read(caller.room(1 + random(300)), tty.nowNs);
      if (typeof got === "number" && before - got < 0) {
        throw new Error(`seed ${seed}: read ${got} of ${before}`);
      }
    } else if (action < 9) {
      const wasCanonical = tty.discipline.isCanonical;
      tty.termios.lflag = random(0x10000);
      tty.termios.iflag = random(0x8000);
      tty.discipline.modeChanged(wasCanonical);
      tty.processInput();
    } else {
      screen();
      tty.startOutput();
    }
    const { head, canonHead, tail } = tty.discipline;
    const isSound = tail <= canonHead && canonHead <= head &&
      head - tail <= 4096;
    if (!isSound && tty.discipline.isCanonical) {
      throw new Error(
        `seed ${seed}, round ${round}: ${tail} ${canonHead} ${head}`,
      );
    }
  }
});
