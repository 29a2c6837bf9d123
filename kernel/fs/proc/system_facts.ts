/**
 * SystemFacts: what all proc instances of a kernel agree on and nobody else
 * keeps.
 * @module
 */
import type { Host } from "../../host.ts";
import type { Clock } from "../../time/clock.ts";
import { NamespaceFileSystem } from "./nsfs.ts";

/** A random UUID of version 4 as text. Source: RFC 9562 §5.4. */
export function randomUuid(host: Host): string {
  const bytes = new Uint8Array(16);
  host.randomBytes(bytes);
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  let text = "";
  for (const [i, byte] of bytes.entries()) {
    if (i === 4 || i === 6 || i === 8 || i === 10) text += "-";
    text += byte.toString(16).padStart(2, "0");
  }
  return text;
}

export class SystemFacts {
  readonly #host: Host;
  readonly namespaces: NamespaceFileSystem;
  #bootId: string | null = null;

  /** `device`: an anonymous device number for nsfs. */
  constructor(host: Host, options: { device: number; clock: Clock }) {
    this.#host = host;
    this.namespaces = new NamespaceFileSystem(options);
  }

  /** The same until the kernel ends. */
  get bootId(): string {
    return this.#bootId ??= randomUuid(this.#host);
  }
}
