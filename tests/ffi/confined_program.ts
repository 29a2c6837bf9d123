/**
 * The program that confinement_test.ts starts: confines itself as its
 * arguments say, reports "ready" on descriptor 1, waits for a byte on
 * descriptor 0, does what the last argument says, and reports the results.
 * @module
 */

import { Clock } from "../../ffi/clock.ts";
import { Confinement, type RootMount } from "../../ffi/confine.ts";
import { DescriptorMaker, Files } from "../../ffi/files.ts";
import {
  DENO_CALLS,
  HOST_FILE_CALLS,
  REACTOR_CALLS,
} from "../../ffi/host_calls.ts";
import { MemoryFile } from "../../ffi/memory_file.ts";
import { Process } from "../../ffi/process.ts";
import { Reactor } from "../../ffi/reactor.ts";
import {
  compileFilter,
  type FilterDefault,
  Seccomp,
} from "../../ffi/seccomp.ts";
import type { HostFd } from "../../kernel/host.ts";

/** What confinement_test.ts passes, as JSON, in the first argument. */
export interface Orders {
  readonly task: "work" | "look" | "forbidden";
  readonly mounts: readonly RootMount[];
  readonly keepCapabilities: readonly number[];
  readonly ids?: readonly [number, number];
  readonly otherwise: FilterDefault;
}

const POLLIN = 1;
const STDIN = 0 as HostFd;
const STDOUT = 1 as HostFd;

function main(orders: Orders): void {
  const memory = new MemoryFile();
  const files = new Files(memory);
  const clock = new Clock();
  const maker = new DescriptorMaker();
  const self = new Process();
  const seccomp = new Seccomp();
  const confinement = new Confinement();
  const reactor = new Reactor();
  const seen: Record<string, unknown> = {};
  const report = (line: string) => {
    const bytes = new TextEncoder().encode(`${line}\n`);
    memory.write(0, bytes);
    files.write(STDOUT, 0, bytes.length, -1);
  };

  self.ignoreHarmfulSignals();
  self.forbidDumps();
  confinement.enterRoot(orders.mounts);
  if (orders.ids !== undefined) confinement.setIds(...orders.ids);
  // With Deno still allowed to: what is there to be seen?
  if (orders.task === "look") {
    const names = (path: string) =>
      [...Deno.readDirSync(path)].map((e) => e.name);
    seen["root"] = names("/").sort();
    seen["parent"] = names("/..").sort();
    for (const { name } of orders.mounts) {
      seen[name] = attempt(() => Deno.readTextFileSync(`/${name}/inner/file`));
      seen[`${name}/write`] = attempt(() =>
        Deno.writeTextFileSync(`/${name}/new`, "")
      );
    }
    seen["mkdir"] = attempt(() => Deno.mkdirSync("/x"));
  }
  confinement.dropCapabilities(orders.keepCapabilities);
  const rules = [...REACTOR_CALLS, ...HOST_FILE_CALLS, ...DENO_CALLS];
  const filter = compileFilter(rules, seccomp, orders.otherwise);
  for (
    const name of [
      "ffi",
      "read",
      "write",
      "run",
      "net",
      "env",
      "sys",
      "import",
    ] as const
  ) {
    const { state } = Deno.permissions.revokeSync({ name });
    if (state === "granted") throw new Error(`${name} is still granted`);
  }
  seccomp.install(filter);

  report("ready");
  maker.poll(STDIN, POLLIN, -1);
  if (orders.task === "work") {
    seen["sum"] = work(memory, clock);
    reactor.watch(STDIN, POLLIN, 5);
    while (reactor.next() !== 5) reactor.wait(-1);
    seen["revents"] = reactor.revents;
    files.read(STDIN, 8192, 1, -1);
    seen["byte"] = memory.view.getUint8(8192);
    seen["stat"] = typeof files.stat(STDIN);
    clock.randomBytes(new Uint8Array(8));
    memory.punch(4096, 8192);
  }
  if (orders.task === "forbidden") {
    seen["open"] = attempt(() => maker.open("/", 0));
    seen["pipe"] = attempt(() => maker.pipe());
    seen["dlopen"] = attempt(() => Deno.dlopen("libc.so.6", {}));
    seen["deno"] = attempt(() => Deno.readTextFileSync("/etc/passwd"));
    seen["pointer"] = attempt(() => Deno.UnsafePointer.create(4096n));
    seen["run"] = attempt(() => new Deno.Command("/bin/true").outputSync());
    seen["root"] = attempt(() => confinement.enterRoot());
    seen["ids"] = attempt(() => confinement.setIds(0, 0));
    seen["filter"] = attempt(() => seccomp.install(filter));
  }
  report(JSON.stringify(seen));
  Deno.exit(0);
}

function attempt(action: () => unknown): string {
  try {
    return `ok ${action()}`;
  } catch (error) {
    return String(error);
  }
}

/** Garbage, fresh code, big arrays and memory: what a kernel does to V8. */
function work(memory: MemoryFile, clock: Clock): number {
  let sum = 0;
  const until = clock.monotonicNs() + 1.5e9;
  while (clock.monotonicNs() < until) {
    const map = new Map<string, number[]>();
    for (let i = 0; i < 20_000; i++) map.set(`k${i}`, [i, i + 1]);
    const added = (new Function("a", `return a + ${sum % 97}`))(map.size);
    sum += added as number;
    sum += new Float64Array(200_000).fill(1).length;
    memory.populate(2 ** 36 + 4096 * (sum % 100), 65536);
    sum += JSON.stringify([...map.values()].slice(0, 500)).length;
    sum += "x".repeat(1000).replace(/x/g, "yy").length;
  }
  return sum;
}

if (import.meta.main) main(JSON.parse(Deno.args[0] ?? "{}"));
