/**
 * platform.h as Deno sees it: the symbols of one plugin, bound once. 64-bit
 * quantities are `f64`, which costs no BigInt.
 * @module
 */

import { bind, type Bound } from "../ffi/binding.ts";

/** Called once. */
const SETUP = {
  rsp_open: {
    parameters: ["i32", "i32", "u32", "buffer"],
    result: "i32",
  },
  rsp_control_region: { parameters: ["pointer"], result: "pointer" },
  rsp_control_bytes: { parameters: ["pointer"], result: "f64" },
} as const satisfies Deno.ForeignLibraryInterface;

const SYMBOLS = {
  rsp_close: { parameters: ["pointer"], result: "void" },
  rsp_space_new: { parameters: ["pointer"], result: "i32" },
  rsp_space_free: { parameters: ["pointer", "u32"], result: "i32" },
  rsp_space_apply: {
    parameters: ["pointer", "u32", "u32", "buffer"],
    result: "i32",
  },
  rsp_context_new: { parameters: ["pointer"], result: "i32" },
  rsp_context_free: { parameters: ["pointer", "u32"], result: "i32" },
  rsp_resume: { parameters: ["pointer", "u32", "u32"], result: "i32" },
  rsp_interrupt: { parameters: ["pointer", "u32"], result: "i32" },
  rsp_fpu_save: { parameters: ["pointer", "u32"], result: "i32" },
  rsp_wait: { parameters: ["pointer", "f64"], result: "i32" },
  /** The address of rsp_ring, for threads that are not JavaScript's. */
  ring: { name: "rsp_ring", type: "pointer" },
} as const satisfies Deno.ForeignLibraryInterface;

export type NativeLibrary = Deno.DynamicLibrary<typeof SYMBOLS>;
export type NativeSetup = Bound<typeof SETUP>;

/**
 * Loads a plugin. Throws when the file is missing or lacks a symbol: then the
 * build is broken, not the host.
 */
export function loadNativeLibrary(path: string): NativeLibrary {
  return Deno.dlopen(path, SYMBOLS);
}

/** The functions that start the plugin; only while there is permission. */
export function loadNativeSetup(path: string): NativeSetup {
  return bind(path, SETUP, "brief");
}
