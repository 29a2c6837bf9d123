/**
 * What a kernel can mount and open: its file system types and device drivers,
 * registered with the VFS when the kernel is assembled.
 * @module
 */
import type { Errno } from "./abi/errno.ts";
import { registerMemoryDevices } from "./fs/dev/memory_devices.ts";
import { Terminals } from "./fs/devpts/tty_drivers.ts";
import { ProcType } from "./fs/proc/proc_file_system.ts";
import { SysType } from "./fs/sys/sys_file_system.ts";
import { SysRoot } from "./fs/sys/sys_root.ts";
import { TmpfsType } from "./fs/tmpfs/tmpfs_type.ts";
import type { Mappable } from "./mm/mappable.ts";
import { SharedMemory } from "./mm/shared_memory.ts";
import type { KernelServices } from "./task/kernel_services.ts";

/** Bytes that one mapping of /dev/zero may cover. */
const ZERO_BYTES = 2 ** 46;

/** Registers everything; the terminals are the kernel's to keep. */
export function registerFileSystems(kernel: KernelServices): Terminals {
  const { vfs, clock, memoryFile, timers, host } = kernel;
  const newDevice = () => vfs.newDevice();
  registerMemoryDevices(vfs.devices, {
    randomBytes: (into) => host.randomBytes(into),
    zeroPages: () => zeroPages(kernel),
  });
  const terminals = new Terminals(newDevice, { clock, timers });
  terminals.register(vfs.devices);
  const { memoryBytes } = host.info;
  const types = [
    terminals,
    new TmpfsType({ memoryFile, clock, memoryBytes, newDevice }),
    new ProcType(kernel),
    new SysType(new SysRoot(host.info, host.memory), { clock, newDevice }),
  ];
  for (const type of types) vfs.fileSystemTypes.set(type.name, type);
  return terminals;
}

function zeroPages({ memoryFile }: KernelServices): Mappable | Errno {
  return new SharedMemory(memoryFile, ZERO_BYTES, "/dev/zero", 0, 0);
}
