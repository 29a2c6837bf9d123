/**
 * sysfs: what machine this is, as lscpu, nproc, numactl and run-time systems
 * read it. There is one instance per kernel, shared by all mounts. Source:
 * sysfs(5), Documentation/ABI/stable/sysfs-devices-system-cpu and
 * sysfs-devices-node.
 * @module
 */
import { SYSFS_MAGIC } from "../../abi/magic.ts";
import type { Clock } from "../../time/clock.ts";
import type { FileSystemType } from "../../vfs/vfs_core.ts";
import { EntryTable } from "../kernfs/entry_table.ts";
import { KernfsFileSystem } from "../kernfs/kernfs_file_system.ts";
import { TableDirectory } from "../kernfs/table_directory.ts";
import type { SysRoot } from "./sys_root.ts";
import { sysEntries } from "./sys_entries.ts";

const ROOT_INO = 1;

export class SysFileSystem extends KernfsFileSystem {
  override readonly root: TableDirectory<SysRoot>;

  constructor(root: SysRoot, options: { device: number; clock: Clock }) {
    super({ typeName: "sysfs", magic: SYSFS_MAGIC, ...options });
    const table = new EntryTable(sysEntries(root));
    table.enumerate(1);
    this.root = new TableDirectory(this, root, table, {
      inoBase: ROOT_INO,
      ino: ROOT_INO,
      mode: 0o555,
    });
  }
}

/** What mount(2) mounts; always the same instance. */
export class SysType implements FileSystemType {
  readonly name = "sysfs";
  readonly needsDevice = false;
  readonly #make: () => SysFileSystem;
  #instance: SysFileSystem | null = null;

  /** `newDevice` numbers the instance once it is wanted. */
  constructor(
    root: SysRoot,
    options: { readonly clock: Clock; newDevice(): number },
  ) {
    this.#make = () =>
      new SysFileSystem(root, {
        clock: options.clock,
        device: options.newDevice(),
      });
  }

  create(): SysFileSystem {
    return this.#instance ??= this.#make();
  }
}
