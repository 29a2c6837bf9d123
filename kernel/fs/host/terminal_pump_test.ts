import { assert, assertEquals } from "@std/assert";
import { isErrno } from "../../abi/errno.ts";
import { POLLOUT } from "../../abi/poll.ts";
import { SIGINT, SIGWINCH } from "../../abi/signal.ts";
import { S_IFCHR } from "../../abi/stat.ts";
import { TimerQueue } from "../../time/timer_queue.ts";
import { FakeCaller } from "../fake_caller.ts";
import { Terminals } from "../devpts/tty_drivers.ts";
import { FakeHostFiles, FakeStream } from "./fake_host.ts";
import { HostReadiness } from "./host_readiness.ts";
import { PUMP_CHUNK, TerminalPump } from "./terminal_pump.ts";

function setUp() {
  const caller = new FakeCaller();
  const host = new FakeHostFiles(caller.host);
  const keyboard = new FakeStream(S_IFCHR);
  const screen = new FakeStream(S_IFCHR);
  const input = host.add(0, keyboard);
  const output = host.add(1, screen);
  const readiness = new HostReadiness(host);
  const services = { clock: caller.clock, timers: new TimerQueue() };
  const terminals = new Terminals(() => 30, services);
  const fs = terminals.createInstance("");
  assert(!isErrno(fs));
  const pty = fs.create(caller);
  assert(!isErrno(pty));
  const pump = new TerminalPump({
    pty,
    input,
    output,
    files: host,
    readiness,
    memory: caller.host,
    scratch: caller.host.allocate(PUMP_CHUNK),
  });
  readiness.drain();
  return {
    caller,
    host,
    keyboard,
    screen,
    input,
    output,
    readiness,
    pty,
    pump,
  };
}

Deno.test("TerminalPump carries typed bytes in and echo out", () => {
  const { caller, host, input, readiness, pty, screen } = setUp();
  assertEquals(pty.tty.windowSize.columns, 80);
  host.feed(input, "ls\r");
  readiness.drain();
  // The echo woke the pump again.
  readiness.drain();
  assertEquals(screen.written, "ls\r\n");
  const read = pty.tty.discipline.read(caller.room(9), 0);
  assertEquals(read, 3);
  pty.tty.attach(caller.jobControl);
  host.feed(input, "\x03");
  readiness.drain();
  assertEquals(caller.jobControl.sent, [{ group: 1, signo: SIGINT }]);
});

Deno.test("TerminalPump keeps what the host does not take at once", () => {
  const { host, output, readiness, pty, screen, pump } = setUp();
  screen.room = 3;
  const bytes = new TextEncoder().encode("abcdef");
  pty.tty.output.write(bytes, bytes.length);
  pty.tty.outputAdded();
  readiness.drain();
  assertEquals(screen.written, "abc");
  assertEquals(pump.flush(), false);
  screen.room = Infinity;
  host.signal(output, POLLOUT);
  readiness.drain();
  assertEquals(screen.written, "abcdef");
  assertEquals(pump.flush(), true);
});

Deno.test("TerminalPump waits while the program does not read", () => {
  const { host, keyboard, input, readiness, pty, caller } = setUp();
  pty.tty.termios.lflag = 0;
  host.feed(input, "x".repeat(80000));
  readiness.drain();
  assert(keyboard.input.length > 0);
  assertEquals(pty.tty.staged.room, 0);
  let total = 0;
  for (let turn = 0; turn < 200 && total < 80000; turn++) {
    const moved = pty.tty.discipline.read(caller.room(4095), 0);
    if (typeof moved === "number") total += moved;
    pty.tty.processInput();
    readiness.drain();
  }
  assertEquals(total, 80000);
});

Deno.test("The host's end of input hangs up the terminal", () => {
  const { caller, host, keyboard, input, readiness, pty } = setUp();
  pty.tty.attach(caller.jobControl);
  keyboard.isInputClosed = true;
  host.signal(input, 0x11);
  readiness.drain();
  assertEquals(pty.tty.isMasterClosed, true);
  assertEquals(caller.jobControl.sent.length, 2);
});

Deno.test("updateWindowSize() tells the foreground group", () => {
  const { caller, screen, pty, pump } = setUp();
  pty.tty.attach(caller.jobControl);
  screen.windowSize = [50, 132, 0, 0];
  pump.updateWindowSize();
  assertEquals(pty.tty.windowSize.rows, 50);
  assertEquals(caller.jobControl.sent, [{ group: 1, signo: SIGWINCH }]);
});
