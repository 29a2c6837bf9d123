/**
 * SystemFacts: what all proc instances of a kernel agree on and nobody else
 * keeps.
 * @module
 */
import type { Host } from "../../host.ts";
import { ContentCache } from "../kernfs/content_cache.ts";
import type { KernelServices } from "../../task/kernel_services.ts";
import { NamespaceFileSystem } from "./nsfs.ts";
import { ResidentMemory } from "./resident_memory.ts";
import { LoadAverage } from "./system/load_average.ts";

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
  readonly contents = new ContentCache();
  readonly #host: Host;
  readonly namespaces: NamespaceFileSystem;
  readonly resident: ResidentMemory;
  readonly load: LoadAverage;
  #bootId: string | null = null;

  constructor(kernel: KernelServices) {
    this.#host = kernel.host;
    this.namespaces = new NamespaceFileSystem({
      device: kernel.vfs.newDevice(),
      clock: kernel.clock,
    });
    this.resident = new ResidentMemory(kernel.clock);
    this.load = LoadAverage.of(kernel);
  }

  /** The same until the kernel ends. */
  get bootId(): string {
    return this.#bootId ??= randomUuid(this.#host);
  }
}
