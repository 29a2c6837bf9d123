/**
 * An ArrayBuffer over memory that stays as long as the process does.
 *
 * V8 counts what lies behind buffers as if it were garbage piling up outside of
 * its heap. The memory file's terabyte makes it collect at once, and again in
 * the middle of a start, 5 to 10 ms each time. Memory that no collection will
 * ever free need not be counted; Node-API can say so (native/view.c).
 * @module
 */
import { bind } from "./binding.ts";
import { nativePath } from "./library.ts";

const SETUP = {
  host_view_next: { parameters: ["pointer", "f64"], result: "void" },
} as const satisfies Deno.ForeignLibraryInterface;

/** What Deno's `require` calls for a Node-API module. */
type OpenModule = (path: string, ...rest: unknown[]) => unknown;

/** Deno has no public name for that which would not load all of `node:`. */
function moduleOpener(): OpenModule | undefined {
  const { internal } = Deno as unknown as { internal: symbol };
  const { core } = (Deno as unknown as Record<symbol, {
    core?: { ops?: { op_napi_open?: OpenModule } };
  }>)[internal] ?? {};
  return core?.ops?.op_napi_open;
}

function uncountedView(
  base: Deno.PointerObject,
  bytes: number,
): ArrayBuffer | null {
  const open = moduleOpener();
  if (open === undefined) return null;
  const path = nativePath("libhost.so");
  const setup = bind(path, SETUP, "brief");
  try {
    setup.symbols.host_view_next(base, bytes);
    // The rest is called for features that view.c does not use.
    const unused = new Array(open.length - 2).fill(() => {});
    const view = open(path, globalThis, ...unused);
    return view instanceof ArrayBuffer ? view : null;
  } catch {
    // Another version of Deno; it only starts slower.
    return null;
  } finally {
    setup.close();
  }
}

/** A view of `bytes` bytes at `base`. It must never be collected: V8 could not
 * take off what it did not add. */
export function lastingView(
  base: Deno.PointerObject,
  bytes: number,
): ArrayBuffer {
  return uncountedView(base, bytes) ??
    Deno.UnsafePointerView.getArrayBuffer(base, bytes);
}
