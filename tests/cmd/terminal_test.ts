/** runsc on a terminal: keys, job control, window size, and modes put back. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { DescriptorMaker, Files } from "../../ffi/files.ts";
import { MemoryFile } from "../../ffi/memory_file.ts";
import { type Child, Spawner } from "../../ffi/spawn.ts";
import { Terminals } from "../../ffi/terminals.ts";
import { POLLIN } from "../../kernel/abi/poll.ts";
import type { HostFd } from "../../kernel/host.ts";
import { RUNSC } from "./command.ts";

/** Longest wait for something that must come. */
const PATIENCE_MS = 20_000;

/** A command with a terminal of its own, and we are the person at it. */
class Session implements Disposable {
  readonly #terminals = new Terminals();
  readonly #descriptors = new DescriptorMaker();
  readonly #spawner = new Spawner();
  readonly #memory = new MemoryFile(1 << 20);
  readonly #files = new Files(this.#memory);
  readonly #child: Child;
  readonly master: HostFd;
  readonly slave: HostFd;
  #seen = "";

  constructor(args: readonly string[]) {
    [this.master, this.slave] = this.#terminals.openPair();
    this.resize(33, 101);
    this.#child = this.#spawner.spawn({
      path: RUNSC[0]!,
      args: [...RUNSC, ...args],
      env: { ...Deno.env.toObject(), TERM: "dumb", PS1: "$ " },
      fds: [this.slave, this.slave, this.slave],
      newSession: true,
      controllingTerminal: 0,
    });
  }

  resize(rows: number, cols: number): void {
    this.#files.setWindowSize(this.master, [rows, cols, 0, 0]);
  }

  get modes(): Uint8Array {
    const modes = new Uint8Array(36);
    this.#files.getTermios(this.slave, modes);
    return modes;
  }

  type(text: string): void {
    this.#descriptors.write(this.master, new TextEncoder().encode(text));
  }

  /** Reads until `text` has come; what came up to its end. */
  expect(text: string): string {
    const chunk = new Uint8Array(4096);
    for (;;) {
      const at = this.#seen.indexOf(text);
      if (at >= 0) {
        const upTo = this.#seen.slice(0, at + text.length);
        this.#seen = this.#seen.slice(at + text.length);
        return upTo;
      }
      if (this.#descriptors.poll(this.master, POLLIN, PATIENCE_MS) <= 0) {
        throw new Error(`No ${JSON.stringify(text)} in ${this.#seen}`);
      }
      const count = this.#descriptors.read(this.master, chunk);
      if (count <= 0) throw new Error(`The terminal ended: ${this.#seen}`);
      this.#seen += new TextDecoder().decode(chunk.subarray(0, count));
    }
  }

  waitForExit(): number {
    const ending = this.#spawner.wait(this.#child.pidfd, PATIENCE_MS);
    return ending !== null && "exitCode" in ending ? ending.exitCode : -1;
  }

  [Symbol.dispose](): void {
    this.#spawner.kill(this.#child.pidfd, 9);
    this.#spawner.close(this.#child.pidfd);
    for (const fd of [this.master, this.slave]) this.#descriptors.close(fd);
    for (const library of [this.#files, this.#memory, this.#spawner]) {
      library[Symbol.dispose]();
    }
    this.#descriptors[Symbol.dispose]();
    this.#terminals[Symbol.dispose]();
  }
}

const SHELL = ["do", "--", "bash", "--norc", "--noediting", "-i"];

Deno.test("do gives a shell a terminal with its size and its name", () => {
  using session = new Session(SHELL);
  session.expect("$ ");
  session.type("stty size; tty\n");
  session.expect("33 101\r\n/dev/pts/0\r\n$ ");
  session.resize(20, 50);
  session.type("stty size\n");
  assertStringIncludes(session.expect("$ "), "20 50");
  session.type("exit 5\n");
  assertEquals(session.waitForExit(), 5);
});

Deno.test("do leaves job control to the shell in the sandbox", () => {
  using session = new Session(SHELL);
  session.expect("$ ");
  session.type("sh -c 'echo it $((1 + 1)) runs; exec sleep 1000'\n");
  session.expect("it 2 runs\r\n");
  session.type("\x03");
  session.expect("^C");
  session.expect("$ ");
  session.type('echo "was $?"\n');
  session.expect("was 130\r\n");
  session.type("sh -c 'echo it $((2 + 2)) runs; exec cat'\n");
  session.expect("it 4 runs\r\n");
  session.type("hello\n");
  session.expect("hello\r\nhello\r\n");
  session.type("\x1a");
  session.expect("Stopped");
  session.expect("$ ");
  session.type("fg\n");
  session.expect("exec cat'\r\n");
  session.type("again\n");
  session.expect("again\r\nagain\r\n");
  session.type("\x04");
  session.expect("$ ");
  session.type("exit\n");
  assertEquals(session.waitForExit(), 0);
});

Deno.test("do puts the terminal's modes back, also after a crash", () => {
  using session = new Session(SHELL);
  const before = session.modes;
  session.expect("$ ");
  assertEquals(session.modes.join() === before.join(), false);
  session.type("kill -9 $$\n");
  assertEquals(session.waitForExit(), 137);
  assertEquals(session.modes, before);
});
