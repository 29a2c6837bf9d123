/**
 * SysRoot: what sysfs is about: the machine.
 * @module
 */
import type { HostInfo, HostMemory } from "../../host.ts";
import { RootSubject } from "../kernfs/kernfs_inode.ts";

export class SysRoot extends RootSubject {
  constructor(readonly info: HostInfo, readonly memory: HostMemory) {
    super();
  }
}
