/**
 * How the suite starts the ptrace platform and finds its stubs.
 * @module
 */

import { DescriptorMaker } from "../../ffi/files.ts";
import { nativePath } from "../../ffi/library.ts";
import { openPtrace } from "../../platforms/ptrace/ptrace.ts";
import type { Plugin } from "./machine.ts";

const O_CLOEXEC = 0o2000000;

/** Children of this process that are stubs. */
function stubProcesses(): number[] {
  const stubs: number[] = [];
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const stat = readOr(`/proc/${name}/stat`);
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (stat.includes("(runsc-stub)") && Number(fields[1]) === Deno.pid) {
      stubs.push(Number(name));
    }
  }
  return stubs;
}

/** Empty if the process is gone. */
function readOr(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

/** The ptrace plugin, as `deno task build` made it. */
export const ptrace: Plugin = {
  name: "ptrace",
  open(memoryFd, maxContexts) {
    using maker = new DescriptorMaker();
    const stubFd = maker.open(nativePath("ptrace_stub"), O_CLOEXEC);
    const platform = openPtrace({
      libraryPath: nativePath("libptrace.so"),
      memoryFd,
      stubFd,
      maxContexts,
    });
    maker.close(stubFd);
    return platform;
  },
  guestProcesses: stubProcesses,
};
