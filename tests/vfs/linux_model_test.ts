/**
 * Our file systems against Linux: random calls by root and by an ordinary user,
 * made on a tmpfs of the host and on ours, must return the same. Needs root
 * (mount, chroot) and python3, which makes the host's calls.
 * @module
 */
import { assertEquals } from "@std/assert";
import { OverlayFileSystem } from "../../kernel/fs/overlay/overlay.ts";
import type { FakeVfs } from "../../kernel/fs/fake_vfs.ts";
import type { FileSystem } from "../../kernel/vfs/file_system.ts";
import { type Call, CallMaker } from "./calls.ts";
import { OurCalls } from "./our_calls.ts";

const ROUNDS = 4;
const CALLS = 600;

function run(command: string, ...args: string[]): boolean {
  try {
    const options = { args, stdout: "null", stderr: "null" } as const;
    return new Deno.Command(command, options).outputSync().success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

const canRun = Deno.uid() === 0 && run("python3", "--version");

/** Makes the calls on a fresh tmpfs of the host. */
async function hostAnswers(calls: readonly Call[]): Promise<unknown[]> {
  const root = Deno.makeTempDirSync();
  if (!run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", root)) {
    throw new Error("mount failed");
  }
  try {
    const script = new URL("host_calls.py", import.meta.url).pathname;
    const python = new Deno.Command("python3", {
      args: [script],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const writer = python.stdin.getWriter();
    const task = JSON.stringify({ root, calls });
    await writer.write(new TextEncoder().encode(task));
    await writer.close();
    const { stdout, success } = await python.output();
    if (!success) throw new Error("host_calls.py failed");
    return JSON.parse(new TextDecoder().decode(stdout));
  } finally {
    run("umount", root);
    Deno.removeSync(root);
  }
}

function randomFrom(seed: number): (below: number) => number {
  let state = seed | 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    // The high bits of such a generator are the good ones.
    return Math.floor(((state >>> 4) / 2 ** 28) * below);
  };
}

/** Compares with the same seeds each time, so that the gate is no lottery;
 * RUNSC_SEED and RUNSC_ROUNDS look further. */
async function compare(makeRoot: (fake: FakeVfs) => FileSystem): Promise<void> {
  const first = Number(Deno.env.get("RUNSC_SEED") ?? 1);
  const rounds = Number(Deno.env.get("RUNSC_ROUNDS") ?? ROUNDS);
  for (let round = 0; round < rounds; round++) {
    const seed = first + round;
    const maker = new CallMaker(randomFrom(seed));
    const calls = Array.from({ length: CALLS }, () => maker.next());
    const host = await hostAnswers(calls);
    const ours = new OurCalls(makeRoot);
    for (const [index, call] of calls.entries()) {
      const what = `RUNSC_SEED=${seed}, call ${index}: ${JSON.stringify(call)}`;
      assertEquals(ours.make(call), host[index], what);
    }
  }
}

Deno.test({
  name: "TmpfsFileSystem answers as Linux's tmpfs does",
  ignore: !canRun,
  fn: () => compare((fake) => fake.newTmpfs({ mode: 0o755 })),
});

Deno.test({
  name: "OverlayFileSystem answers as Linux's tmpfs does",
  ignore: !canRun,
  fn: () =>
    compare((fake) =>
      new OverlayFileSystem({
        lowers: [fake.newTmpfs({ mode: 0o755 })],
        memoryFile: fake.memoryFile,
        clock: fake.caller.clock,
        device: fake.vfs.newDevice(),
      })
    ),
});
