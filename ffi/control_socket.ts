/**
 * Unix sockets by name: where a running sandbox takes connections, and where an
 * engine waits for a terminal; binds native/control_socket.c. Messages travel
 * by gofer_channel.ts.
 * @module
 */
import { basename, dirname } from "@std/path";
import { bind, type Binding, type Bound } from "./binding.ts";
import { cString, must, nativePath } from "./library.ts";

const SYMBOLS = {
  host_control_listen: { parameters: ["buffer", "buffer"], result: "i32" },
  host_control_connect: {
    parameters: ["buffer", "buffer", "i32"],
    result: "i32",
  },
  host_control_accept: { parameters: ["i32"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

/** Makes and takes connections. Paths may have any length, their last part 80
 * bytes. */
export class ControlSockets implements Disposable {
  readonly #library: Bound<typeof SYMBOLS>;
  readonly #calls: Bound<typeof SYMBOLS>["symbols"];

  constructor(binding: Binding = "lasting") {
    this.#library = bind(nativePath("libhost.so"), SYMBOLS, binding);
    this.#calls = this.#library.symbols;
  }

  /** A socket for connections, non-blocking. Throws a HostError. */
  listen(path: string): number {
    const [directory, name] = split(path);
    return must(
      `listen at ${path}`,
      this.#calls.host_control_listen(directory, name),
    );
  }

  /** A connection; a negative errno if nobody listens there (ECONNREFUSED,
   * ENOENT) or the caller may not (EACCES). */
  connect(path: string, type: "messages" | "stream"): number {
    const [directory, name] = split(path);
    const isStream = type === "stream" ? 1 : 0;
    return this.#calls.host_control_connect(directory, name, isStream);
  }

  /** The next connection to a listening socket; -EAGAIN: none waits. Works
   * after the ffi permission was revoked. */
  accept(listener: number): number {
    return this.#calls.host_control_accept(listener);
  }

  [Symbol.dispose](): void {
    this.#library.close();
  }
}

function split(
  path: string,
): [Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>] {
  return [cString(dirname(path)), cString(basename(path))];
}
