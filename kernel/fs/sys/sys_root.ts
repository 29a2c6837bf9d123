/**
 * SysRoot: what sysfs is about: the machine.
 * @module
 */
import type { HostInfo } from "../../host.ts";
import type { MemoryFile } from "../../mm/memory_file.ts";
import { RootSubject } from "../kernfs/kernfs_inode.ts";

export class SysRoot extends RootSubject {
  constructor(readonly info: HostInfo, readonly memoryFile: MemoryFile) {
    super();
  }
}
