/**
 * How the suite starts the systrap platform and finds its stubs.
 * @module
 */

import { DescriptorMaker } from "../../ffi/files.ts";
import { nativePath } from "../../ffi/library.ts";
import { openSystrap } from "../../platforms/systrap/systrap.ts";
import type { Plugin } from "./machine.ts";
import { ptrace } from "./ptrace_plugin.ts";

const O_CLOEXEC = 0o2000000;

/** The systrap plugin, as `deno task build` made it. */
export const systrap: Plugin = {
  name: "systrap",
  open(memoryFd, maxContexts) {
    using maker = new DescriptorMaker();
    const stubFd = maker.open(nativePath("systrap_stub"), O_CLOEXEC);
    const platform = openSystrap({
      libraryPath: nativePath("libsystrap.so"),
      memoryFd,
      stubFd,
      maxContexts,
    });
    maker.close(stubFd);
    return platform;
  },
  // Stubs of both have the same name.
  guestProcesses: () => ptrace.guestProcesses(),
};
