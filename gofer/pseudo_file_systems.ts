/**
 * File systems of the host that are windows into its kernel. Bound into a
 * container's tree by accident (as below "/" of the host), they are not shown;
 * only an operator who names one as the root of a mount gets it.
 * @module
 */
import {
  BINFMTFS_MAGIC,
  BPF_FS_MAGIC,
  CGROUP2_SUPER_MAGIC,
  CGROUP_SUPER_MAGIC,
  DEBUGFS_MAGIC,
  DEVPTS_SUPER_MAGIC,
  HUGETLBFS_MAGIC,
  MQUEUE_MAGIC,
  NSFS_MAGIC,
  PROC_SUPER_MAGIC,
  SECURITYFS_MAGIC,
  SYSFS_MAGIC,
  TRACEFS_MAGIC,
} from "../kernel/abi/magic.ts";

// No other part of ours knows these (uapi linux/magic.h).
const CONFIGFS_MAGIC = 0x62656570;
const EFIVARFS_MAGIC = 0xde5e81e4;
const FUSE_CTL_MAGIC = 0x65735543;
const NFSD_MAGIC = 0x6e667364;
const PSTOREFS_MAGIC = 0x6165676c;
const RPC_PIPEFS_MAGIC = 0x67596969;
const SELINUX_MAGIC = 0xf97cff8c;
const SMACK_MAGIC = 0x43415d53;
const XENFS_MAGIC = 0xabba1974;

const PSEUDO: ReadonlySet<number> = new Set([
  BINFMTFS_MAGIC,
  BPF_FS_MAGIC,
  CGROUP2_SUPER_MAGIC,
  CGROUP_SUPER_MAGIC,
  CONFIGFS_MAGIC,
  DEBUGFS_MAGIC,
  DEVPTS_SUPER_MAGIC,
  EFIVARFS_MAGIC,
  FUSE_CTL_MAGIC,
  HUGETLBFS_MAGIC,
  MQUEUE_MAGIC,
  NFSD_MAGIC,
  NSFS_MAGIC,
  PROC_SUPER_MAGIC,
  PSTOREFS_MAGIC,
  RPC_PIPEFS_MAGIC,
  SECURITYFS_MAGIC,
  SELINUX_MAGIC,
  SMACK_MAGIC,
  SYSFS_MAGIC,
  TRACEFS_MAGIC,
  XENFS_MAGIC,
]);

/** Whether f_type of statfs(2) is one of them. */
export function isPseudoFileSystem(type: number): boolean {
  return PSEUDO.has(type);
}
