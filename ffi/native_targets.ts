/**
 * What `deno task build` makes out of C and assembly: a row per binary. A row
 * whose folder has a file `build.flags` adds the words in it to the link
 * command, `{dir}` standing for the folder.
 * @module
 */

/** One binary under build/. */
export interface NativeTarget {
  readonly output: string;
  /** Folder whose `.c` and `.S` files are compiled (not its subfolders). */
  readonly dir: string;
  /** Folders whose headers the sources include, besides `dir`. */
  readonly headerDirs: readonly string[];
  /** `library`: for dlopen. `bare`: no libc, no start files, own flags. */
  readonly kind: "library" | "bare";
}

export const NATIVE_TARGETS: readonly NativeTarget[] = [
  {
    output: "runsc",
    dir: "cmd/launcher",
    headerDirs: [],
    kind: "bare",
  },
  {
    output: "libhost.so",
    dir: "ffi/native",
    headerDirs: [],
    kind: "library",
  },
  {
    output: "libptrace.so",
    dir: "platforms/ptrace",
    headerDirs: ["platforms", "platforms/ptrace/stub"],
    kind: "library",
  },
  {
    output: "ptrace_stub",
    dir: "platforms/ptrace/stub",
    headerDirs: ["platforms", "platforms/ptrace"],
    kind: "bare",
  },
  {
    output: "libsystrap.so",
    dir: "platforms/systrap",
    headerDirs: ["platforms", "platforms/systrap/stub"],
    kind: "library",
  },
  {
    output: "systrap_stub",
    dir: "platforms/systrap/stub",
    headerDirs: ["platforms", "platforms/systrap"],
    kind: "bare",
  },
  {
    output: "container_proxy",
    dir: "ffi/proxy",
    headerDirs: [],
    kind: "bare",
  },
  {
    output: "vdso.so",
    dir: "kernel/loader/vdso",
    headerDirs: [],
    kind: "bare",
  },
];

/** Flags of every compilation. */
export const COMPILE_FLAGS: readonly string[] = [
  "-std=c11",
  "-O2",
  "-g",
  "-Wall",
  "-Wextra",
  "-Werror",
  "-fvisibility=hidden",
];

/** Flags by kind, for compiling and for linking. */
export const KIND_FLAGS = {
  library: {
    compile: ["-fPIC", "-pthread", "-fstack-protector-strong"],
    link: ["-shared", "-pthread", "-Wl,-z,relro,-z,now", "-Wl,-z,defs"],
  },
  // Freestanding code runs where there is no stack guard to compare with.
  bare: {
    compile: ["-ffreestanding", "-fno-stack-protector", "-fcf-protection=none"],
    link: ["-nostdlib", "-Wl,--build-id=none", "-Wl,-z,noexecstack"],
  },
} as const;

/** Added by `--sanitize`; libraries only, since the rest has no runtime. */
export const SANITIZE_FLAGS: readonly string[] = [
  "-O1",
  "-fsanitize=address,undefined",
  "-fno-omit-frame-pointer",
  "-fno-sanitize-recover=all",
  "-Wl,-z,undefs",
];
