/**
 * Which address families a kernel has.
 * @module
 */
import { AF_UNIX } from "./abi/socket.ts";
import { SocketFileSystem } from "./socket/socket.ts";
import { UnixFamily } from "./socket/unix/unix_family.ts";
import type { KernelServices } from "./task/kernel_services.ts";

/** sockfs with every family. */
export function createSockets(
  kernel: Pick<KernelServices, "clock" | "host" | "memoryFile" | "vfs">,
): SocketFileSystem {
  const { clock, vfs, memoryFile, host } = kernel;
  const sockets = new SocketFileSystem({ clock, device: vfs.newDevice() });
  const unix = new UnixFamily({
    sockets,
    vfs,
    memory: host.memory,
    pages: memoryFile,
  });
  sockets.families.set(AF_UNIX, unix);
  return sockets;
}
