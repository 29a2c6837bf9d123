/**
 * The program that gofer_process_test.ts starts: a file server, as `runsc
 * gofer` is one, which can be told to try what it must not be able to do.
 * Descriptors: 3 the client's channel, 4 where results are reported.
 * @module
 */
import { GoferChannels } from "../../ffi/gofer_channel.ts";
import { type GoferTree, runGofer } from "../../gofer/run.ts";

/** The first argument, as JSON. */
export interface GoferOrders {
  readonly trees: readonly GoferTree[];
  /** What to try once everything is locked. */
  readonly attempt: "nothing" | "look" | FatalAttempt;
}

/** What ends the process, with its first system call. */
export type FatalAttempt = keyof typeof ATTEMPTS;

export const CHANNEL_FD = 3;
export const REPORT_FD = 4;

const libc = () =>
  Deno.dlopen("libc.so.6", {
    socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
    fork: { parameters: [], result: "i32" },
    execl: { parameters: ["buffer", "buffer", "usize"], result: "i32" },
    ptrace: { parameters: ["i32", "i32", "usize", "usize"], result: "i64" },
    chroot: { parameters: ["buffer"], result: "i32" },
    setuid: { parameters: ["i32"], result: "i32" },
    memfd_create: { parameters: ["buffer", "i32"], result: "i32" },
    openat: { parameters: ["i32", "buffer", "i32"], result: "i32" },
    kill: { parameters: ["i32", "i32"], result: "i32" },
  });
type Libc = ReturnType<typeof libc>["symbols"];

const text = (value: string) => new TextEncoder().encode(`${value}\0`);

const ATTEMPTS = {
  socket: (c: Libc) => c.socket(2, 1, 0),
  fork: (c: Libc) => c.fork(),
  exec: (c: Libc) => c.execl(text("/bin/true"), text("true"), 0n),
  ptrace: (c: Libc) => c.ptrace(16, 1, 0n, 0n),
  chroot: (c: Libc) => c.chroot(text("/")),
  setuid: (c: Libc) => c.setuid(1),
  memfd: (c: Libc) => c.memfd_create(text("x"), 0),
  kill: (c: Libc) => c.kill(1, 9),
  command: () => new Deno.Command("/bin/true").outputSync(),
  dlopen: () => Deno.dlopen("libc.so.6", {}),
};

/** The message of what it throws, or its result. */
function tried(action: () => unknown): string {
  try {
    return `done: ${action()}`;
  } catch (error) {
    return error instanceof Error ? error.name : "thrown";
  }
}

function look(c: Libc): Record<string, string> {
  return {
    read: tried(() => Deno.readTextFileSync("/etc/passwd")),
    list: tried(() => [...Deno.readDirSync("/")].length),
    write: tried(() => Deno.writeTextFileSync("/x", "")),
    env: tried(() => Deno.env.get("HOME")),
    openPath: `${c.openat(-100, text("/etc/passwd"), 0)}`,
    openRoot: `${c.openat(-100, text("/"), 0)}`,
  };
}

function main(orders: GoferOrders): void {
  const channels = new GoferChannels();
  const { symbols } = libc();
  const report = (value: unknown) => {
    const bytes = new TextEncoder().encode(JSON.stringify(value));
    channels.send(REPORT_FD, bytes, bytes.length, []);
  };
  runGofer({
    clients: [{ channel: CHANNEL_FD, trees: orders.trees }],
    spinUs: 0,
    onReady: () => {
      report("ready");
      if (orders.attempt === "look") report(look(symbols));
      else if (orders.attempt !== "nothing") {
        report(`survived: ${ATTEMPTS[orders.attempt](symbols)}`);
      }
    },
  });
}

if (import.meta.main) {
  main(JSON.parse(Deno.args[0] ?? "") as GoferOrders); // our own test's
  Deno.exit(0);
}
