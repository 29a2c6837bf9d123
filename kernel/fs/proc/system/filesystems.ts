/**
 * /proc/filesystems: the types that mount(2) knows. Source:
 * proc_filesystems(5).
 * @module
 */
import type { KernelServices } from "../../../task/kernel_services.ts";

export function filesystems({ vfs }: KernelServices): string {
  let text = "";
  for (const { name, needsDevice } of vfs.fileSystemTypes.values()) {
    text += `${needsDevice ? "" : "nodev"}\t${name}\n`;
  }
  return text;
}
