/**
 * set_mempolicy(2), get_mempolicy(2), mbind(2) on a machine with one memory
 * node: every policy that names node 0 is fulfilled by any allocation, every
 * other node does not exist.
 * @module
 */
import { EFAULT, EINVAL, type Errno, isErrno } from "../abi/errno.ts";
import { PAGE_SIZE } from "../abi/mman.ts";
import * as mpol from "../abi/mempolicy.ts";
import { pageAlign } from "../mm/mmap.ts";
import type { Task } from "../task/task.ts";
import { defineSyscall, type SysResult } from "./syscall.ts";

const MODE_FLAGS = mpol.MPOL_F_STATIC_NODES | mpol.MPOL_F_RELATIVE_NODES |
  mpol.MPOL_F_NUMA_BALANCING;
const NODE_FLAGS = mpol.MPOL_F_STATIC_NODES | mpol.MPOL_F_RELATIVE_NODES;
const BIND_FLAGS = mpol.MPOL_MF_STRICT | mpol.MPOL_MF_MOVE |
  mpol.MPOL_MF_MOVE_ALL;
/** Bits in a page: a longer node mask is refused. */
const MAX_NODE_BITS = PAGE_SIZE * 8;

/** Reads a node mask of `maxnode` - 1 bits: whether it has node 0. EINVAL: it
 * has others, or is too long; EFAULT. */
function readNodes(
  task: Task,
  mask: number,
  maxnode: number,
): boolean | Errno {
  if (maxnode <= 1 || mask === 0) return false;
  const bits = maxnode - 1;
  if (bits > MAX_NODE_BITS) return EINVAL;
  const words = new Uint8Array(Math.ceil(bits / 64) * 8);
  const fault = task.memory.readBytes(mask, words);
  if (fault !== null) return fault;
  for (const [i, byte] of words.entries()) {
    const valid = Math.min(8, Math.max(0, bits - 8 * i));
    const used = byte & ((1 << valid) - 1);
    if ((i === 0 ? used & ~1 : used) !== 0) return EINVAL;
  }
  return (words[0]! & 1) !== 0;
}

/** Checks a policy. EINVAL: unknown mode, flags, or nodes it cannot have. */
function checkPolicy(
  task: Task,
  modeAndFlags: number,
  mask: number,
  maxnode: number,
): Errno | null {
  const mode = modeAndFlags & ~MODE_FLAGS;
  const flags = modeAndFlags & MODE_FLAGS;
  if (mode < 0 || mode > mpol.MPOL_PREFERRED_MANY) return EINVAL;
  if ((flags & NODE_FLAGS) === NODE_FLAGS) return EINVAL;
  const isBalanced = (flags & mpol.MPOL_F_NUMA_BALANCING) !== 0;
  if (isBalanced && mode !== mpol.MPOL_BIND) return EINVAL;
  const hasNode = readNodes(task, mask, maxnode);
  if (isErrno(hasNode)) return hasNode;
  switch (mode) {
    case mpol.MPOL_DEFAULT:
    case mpol.MPOL_LOCAL:
      return hasNode || flags !== 0 ? EINVAL : null;
    case mpol.MPOL_PREFERRED:
      // No node means the local one.
      return !hasNode && (flags & NODE_FLAGS) !== 0 ? EINVAL : null;
    default:
      return hasNode ? null : EINVAL;
  }
}

export const set_mempolicy = defineSyscall({
  name: "set_mempolicy",
  support: { partial: "get_mempolicy(2) does not report the policy set" },
  args: { mode: "int", nodemask: "addr", maxnode: "ulong" },
  run: (task, { mode, nodemask, maxnode }) =>
    checkPolicy(task, mode, nodemask, maxnode) ?? 0,
});

export const mbind = defineSyscall({
  name: "mbind",
  support: { partial: "get_mempolicy(2) does not report the policy set" },
  args: {
    addr: "addr",
    length: "ulong",
    mode: "ulong",
    nodemask: "addr",
    maxnode: "ulong",
    flags: "uint",
  },
  run: (task, { addr, length, mode, nodemask, maxnode, flags }) => {
    if (mode > 0xffff) return EINVAL;
    const invalid = checkPolicy(task, mode, nodemask, maxnode);
    if (invalid !== null) return invalid;
    if ((flags & ~BIND_FLAGS) !== 0) return EINVAL;
    if (addr % PAGE_SIZE !== 0) return EINVAL;
    const end = addr + pageAlign(length);
    if (end > 2 ** 64) return EINVAL;
    if (end === addr) return 0;
    const { vmas } = task.memory;
    return vmas.mappedUpTo(addr, end) < end ? EFAULT : 0;
  },
});

export const get_mempolicy = defineSyscall({
  name: "get_mempolicy",
  support: { partial: "the policy is always MPOL_DEFAULT" },
  args: {
    mode: "addr",
    nodemask: "addr",
    maxnode: "ulong",
    addr: "addr",
    flags: "ulong",
  },
  run: (task, { mode, nodemask, maxnode, addr, flags }): SysResult => {
    const known = mpol.MPOL_F_NODE | mpol.MPOL_F_ADDR |
      mpol.MPOL_F_MEMS_ALLOWED;
    if (flags > known) return EINVAL;
    if (nodemask !== 0 && maxnode < 1) return EINVAL;
    const wantsNode = (flags & mpol.MPOL_F_NODE) !== 0;
    const hasAddr = (flags & mpol.MPOL_F_ADDR) !== 0;
    const isAllowed = (flags & mpol.MPOL_F_MEMS_ALLOWED) !== 0;
    if (isAllowed) {
      if (wantsNode || hasAddr) return EINVAL;
    } else if (hasAddr) {
      if (task.memory.vmas.find(addr) === null) return EFAULT;
    } else if (addr !== 0) return EINVAL;
    // MPOL_F_NODE alone asks an interleaving task for its next node.
    else if (wantsNode) return EINVAL;
    if (mode !== 0) {
      // Node 0, or MPOL_DEFAULT: the same number.
      const fault = task.memory.writeU32(mode, 0);
      if (fault !== null) return fault;
    }
    return nodemask === 0
      ? 0
      : writeNodes(task, nodemask, maxnode, isAllowed ? 1 : 0);
  },
});

/** Stores a node mask, cut or filled up to `maxnode` bits. */
function writeNodes(
  task: Task,
  mask: number,
  maxnode: number,
  nodes: number,
): SysResult {
  const bits = Math.max(maxnode - 1, 0);
  if (bits > MAX_NODE_BITS) return EINVAL;
  const words = new Uint8Array(Math.ceil(bits / 64) * 8);
  if (words.length > 0) words[0] = nodes;
  return task.memory.writeBytes(mask, words) ?? 0;
}
