/**
 * Ways to call the functions of our native libraries.
 *
 * `Deno.dlopen` compiles a trampoline for each symbol, which costs 0.1 ms; then
 * a call costs 10 ns and works even after the ffi permission was revoked. A
 * process binds dozens, and starts in 30 ms. So what is called a few times, and
 * only while there is the permission, is bound by address: that costs nothing,
 * and a call 4 us.
 * @module
 */

/** `lasting`: calls are fast and outlive the permission. `brief`: neither. */
export type Binding = "lasting" | "brief";

/** Functions of a library, as `Deno.dlopen` returns them. */
export type Bound<S extends Deno.ForeignLibraryInterface> = Pick<
  Deno.DynamicLibrary<S>,
  "symbols" | "close"
>;

/** Binds the functions of the library at `path`. Throws when the file is
 * missing or lacks one: then the build is broken, not the host. */
export function bind<const S extends Deno.ForeignLibraryInterface>(
  path: string,
  functions: S,
  binding: Binding,
): Bound<S> {
  return binding === "brief" && mayUseAddresses()
    ? bindBriefly(path, functions)
    : Deno.dlopen(path, functions);
}

/** An embedding program may have been allowed our libraries only. */
function mayUseAddresses(): boolean {
  return Deno.permissions.querySync({ name: "ffi" }).state === "granted";
}

function bindBriefly<S extends Deno.ForeignLibraryInterface>(
  path: string,
  functions: S,
): Bound<S> {
  // The value of a symbol that is said to be data is its address.
  const data = Object.fromEntries(
    Object.keys(functions).map((name) => [name, { type: "pointer" } as const]),
  );
  const library = Deno.dlopen(path, data);
  const symbols = Object.entries(functions).map(([name, definition]) => {
    const address = library.symbols[name];
    if (
      !("parameters" in definition) || address === null || address === undefined
    ) {
      library.close();
      throw new TypeError(`${path} has no function ${name}`);
    }
    const pointer = new Deno.UnsafeFnPointer(
      // Whoever defines a function vouches for its signature.
      address as Deno.PointerObject<typeof definition>,
      definition,
    );
    return [name, pointer.call.bind(pointer)];
  });
  return {
    // The types follow from `functions`, entry by entry.
    symbols: Object.fromEntries(symbols) as Bound<S>["symbols"],
    close: () => library.close(),
  };
}
