/**
 * Who makes the mounts of a container before its first process exists: the
 * superuser, without a process, memory or terminal.
 * @module
 */
import { EBADF, EFAULT, type Errno } from "../../kernel/abi/errno.ts";
import type { UserMemory } from "../../kernel/mm/user_memory.ts";
import type { Clock } from "../../kernel/time/clock.ts";
import type {
  Caller,
  ControllingTerminal,
  Identity,
  JobControl,
  LockOwner,
} from "../../kernel/vfs/caller.ts";
import type { FsContext } from "../../kernel/vfs/fs_context.ts";

const SUPERUSER: Identity = {
  uid: 0,
  euid: 0,
  suid: 0,
  fsuid: 0,
  gid: 0,
  egid: 0,
  sgid: 0,
  fsgid: 0,
  groups: [],
  has: () => true,
  isInGroup: (gid) => gid === 0,
};

/** Memory of nobody: every address faults. */
class NoMemory implements UserMemory {
  readonly readU8 = () => EFAULT;
  readonly readU16 = () => EFAULT;
  readonly readI32 = () => EFAULT;
  readonly readU32 = () => EFAULT;
  readonly readU64 = () => EFAULT;
  readonly readI64 = () => EFAULT;
  readonly writeU8 = () => EFAULT;
  readonly writeU16 = () => EFAULT;
  readonly writeU32 = () => EFAULT;
  readonly writeU64 = () => EFAULT;
  readonly writeI32s = () => EFAULT;
  readonly readBytes = () => EFAULT;
  readonly writeBytes = () => EFAULT;
  readonly readString = () => EFAULT;
  readonly buffer = () => EFAULT;
  readonly vector = () => EFAULT;
  readonly compareExchangeU32 = () => EFAULT;
  readonly futexKey = () => EFAULT;
}

class NoJobControl implements JobControl {
  readonly processGroupId = 0;
  readonly sessionId = 0;
  readonly isSessionLeader = false;
  readonly isOrphaned = true;
  controllingTerminal: ControllingTerminal | null = null;
  readonly ignoresOrBlocks = () => true;
  readonly signalProcessGroup = () => {};
  readonly signalSessionLeader = () => {};
  readonly hasGroup = () => false;
  readonly isGroupInSession = () => false;
}

export class BootCaller implements Caller {
  readonly identity = SUPERUSER;
  readonly memory = new NoMemory();
  readonly jobControl = new NoJobControl();
  readonly lockOwner: LockOwner = { waitsFor: null };
  readonly processId = 0;
  readonly threadId = 0;

  constructor(readonly fsContext: FsContext, readonly clock: Clock) {}

  limit(): number {
    return Infinity;
  }
  installFile(): Errno {
    return EBADF;
  }
  raise(): void {}
}
