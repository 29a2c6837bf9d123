/**
 * What a system call costs in the kernel alone: decode, dispatch, handler and
 * the way back, without the platform's switch. Prints one JSON line per case:
 *   {"case":"getpid","n":2000000,"ns_per_op":83.1}
 *
 *   deno run -A tests/bench/kernel_bench.ts
 * @module
 */
import { print } from "../../ffi/say.ts";
import { BareKernel } from "../kernel/bare_kernel.ts";

const bare = new BareKernel();
const { task } = bare;

function measure(name: string, count: number, once: () => void): void {
  for (let i = 0; i < count / 4; i++) once();
  const start = performance.now();
  for (let i = 0; i < count; i++) once();
  const ns = ((performance.now() - start) * 1e6) / count;
  print(JSON.stringify({
    case: name,
    n: count,
    ns_per_op: Number(ns.toFixed(1)),
  }));
}

/** The same call again and again, its registers set once. */
function measureCall(
  label: string,
  count: number,
  name: string,
  ...args: readonly number[]
): void {
  bare.prepare(name, ...args);
  measure(label, count, () => bare.stop());
}

const buffer = bare.allocate(65536);
const path = bare.allocate(4096);
bare.addFile("data", new Uint8Array(65536).fill(1));
task.memory.writeBytes(path, new TextEncoder().encode("/data\0"));
const fd = bare.call("open", path, 0);
if (fd < 0) throw new Error(`open: ${fd}`);

measureCall("getpid", 2_000_000, "getpid");
measureCall(
  "pread 4 KiB, page cache",
  1_000_000,
  "pread64",
  fd,
  buffer,
  4096,
  0,
);
measureCall(
  "pread 64 KiB, page cache",
  100_000,
  "pread64",
  fd,
  buffer,
  65536,
  0,
);
measureCall("clock_gettime", 1_000_000, "clock_gettime", 1, buffer);
measureCall("fstat", 1_000_000, "fstat", fd, buffer);
measureCall("stat /data", 500_000, "stat", path, buffer);
measure("open and close /data", 200_000, () => {
  const opened = bare.call("open", path, 0);
  bare.call("close", opened);
});
Deno.exit(0);
