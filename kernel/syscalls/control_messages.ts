/**
 * Control messages (struct cmsghdr) of sendmsg(2) and recvmsg(2): SCM_RIGHTS
 * and SCM_CREDENTIALS. Source: cmsg(3), unix(7).
 * @module
 */
import { CAP_SETGID, CAP_SETUID, CAP_SYS_ADMIN } from "../abi/capability.ts";
import {
  EBADF,
  EINVAL,
  ENOBUFS,
  EPERM,
  type Errno,
  ESRCH,
  isErrno,
} from "../abi/errno.ts";
import { RLIMIT_NOFILE } from "../abi/resource.ts";
import {
  AF_UNIX,
  CMSG_ALIGN,
  CMSG_LEN,
  CMSGHDR,
  CMSGHDR_SIZE,
  MSG_CMSG_CLOEXEC,
  MSG_CTRUNC,
  SCM_CREDENTIALS,
  SCM_MAX_FD,
  SCM_RIGHTS,
  SOL_SOCKET,
  UCRED,
  UCRED_SIZE,
} from "../abi/socket.ts";
import type {
  Ancillary,
  IncomingMessage,
  PeerCredentials,
  Socket,
} from "../socket/socket.ts";
import type { Task } from "../task/task.ts";
import type { FileDescription } from "../vfs/file_description.ts";

/** net.core.optmem_max: longest msg_control, bytes. */
const MAX_CONTROL = 131072;

/**
 * Copies msg_control in; the result holds a reference on each file. ENOBUFS:
 * too long; EINVAL, EBADF, EPERM, ESRCH, EFAULT.
 */
export function readControl(
  task: Task,
  socket: Socket,
  addr: number,
  length: number,
): Ancillary | null | Errno {
  if (addr === 0 || length === 0) return null;
  if (length > MAX_CONTROL) return ENOBUFS;
  const bytes = new Uint8Array(length);
  const fault = task.memory.readBytes(addr, bytes);
  if (fault !== null) return fault;
  const rights: FileDescription[] = [];
  const credentials = parse(task, socket, bytes, rights);
  if (isErrno(credentials)) {
    for (const file of rights) file.release();
    return credentials;
  }
  return { rights, credentials };
}

function parse(
  task: Task,
  socket: Socket,
  bytes: Uint8Array,
  rights: FileDescription[],
): PeerCredentials | null | Errno {
  const view = new DataView(bytes.buffer);
  let credentials: PeerCredentials | null = null;
  for (let at = 0; at + CMSGHDR_SIZE <= bytes.length;) {
    const length = view.getUint32(at + CMSGHDR.cmsg_len, true);
    const high = view.getUint32(at + CMSGHDR.cmsg_len + 4, true);
    if (high !== 0 || length < CMSGHDR_SIZE || length > bytes.length - at) {
      return EINVAL;
    }
    const level = view.getInt32(at + CMSGHDR.cmsg_level, true);
    const type = view.getInt32(at + CMSGHDR.cmsg_type, true);
    if (level === SOL_SOCKET) {
      const start = at + CMSGHDR_SIZE;
      const size = length - CMSGHDR_SIZE;
      if (socket.kind.family !== AF_UNIX) return EINVAL;
      if (type === SCM_RIGHTS) {
        const failed = takeRights(task, view, start, size, rights);
        if (failed !== null) return failed;
      } else if (type === SCM_CREDENTIALS) {
        if (size !== UCRED_SIZE) return EINVAL;
        const given = checkCredentials(task, {
          pid: view.getInt32(start + UCRED.pid, true),
          uid: view.getUint32(start + UCRED.uid, true),
          gid: view.getUint32(start + UCRED.gid, true),
        });
        if (isErrno(given)) return given;
        credentials = given;
      } else return EINVAL;
    }
    at += CMSG_ALIGN(length);
  }
  return credentials;
}

function takeRights(
  task: Task,
  view: DataView,
  start: number,
  size: number,
  rights: FileDescription[],
): Errno | null {
  const count = Math.floor(size / 4);
  if (rights.length + count > SCM_MAX_FD) return EINVAL;
  for (let i = 0; i < count; i++) {
    const file = task.fdTable.get(view.getInt32(start + 4 * i, true));
    if (file === null) return EBADF;
    rights.push(file.acquire());
  }
  return null;
}

/** One's own ids, or capabilities to claim others. EPERM, ESRCH. */
function checkCredentials(
  task: Task,
  given: PeerCredentials,
): PeerCredentials | Errno {
  const { identity } = task;
  const { pid, uid, gid } = given;
  const isPidOwn = pid === task.processId || identity.has(CAP_SYS_ADMIN);
  const isUidOwn = uid === identity.uid || uid === identity.euid ||
    uid === identity.suid || identity.has(CAP_SETUID);
  const isGidOwn = gid === identity.gid || gid === identity.egid ||
    gid === identity.sgid || identity.has(CAP_SETGID);
  if (!isPidOwn || !isUidOwn || !isGidOwn) return EPERM;
  if (pid !== task.processId && task.namespace.task(pid) === null) return ESRCH;
  return given;
}

/** What was stored of a message's control data. */
export interface StoredControl {
  /** For msg_controllen, bytes. */
  readonly length: number;
  /** MSG_CTRUNC or 0. */
  readonly flags: number;
}

/**
 * Stores credentials and files of a received message at msg_control; files get
 * descriptors, and those that do not fit are closed. EFAULT.
 */
export function writeControl(
  task: Task,
  message: IncomingMessage,
  addr: number,
  space: number,
): StoredControl | Errno {
  const { credentials, rights } = message;
  const bytes = new Uint8Array(addr === 0 ? 0 : Math.min(space, MAX_CONTROL));
  const view = new DataView(bytes.buffer);
  let at = 0;
  let flags = 0;
  if (credentials !== null) {
    const length = Math.min(CMSG_LEN(UCRED_SIZE), bytes.length);
    if (length < CMSG_LEN(UCRED_SIZE)) flags |= MSG_CTRUNC;
    else {
      putHeader(view, at, length, SCM_CREDENTIALS);
      const start = at + CMSGHDR_SIZE;
      view.setInt32(start + UCRED.pid, credentials.pid, true);
      view.setUint32(start + UCRED.uid, credentials.uid, true);
      view.setUint32(start + UCRED.gid, credentials.gid, true);
      at = Math.min(at + CMSG_ALIGN(length), bytes.length);
    }
  }
  if (rights.length > 0) {
    const room = Math.max(0, bytes.length - at - CMSGHDR_SIZE);
    const fds = installRights(
      task,
      rights,
      Math.floor(room / 4),
      (message.requested & MSG_CMSG_CLOEXEC) !== 0,
    );
    if (fds.length < rights.length) flags |= MSG_CTRUNC;
    if (fds.length > 0) {
      const length = CMSG_LEN(4 * fds.length);
      putHeader(view, at, length, SCM_RIGHTS);
      for (const [i, fd] of fds.entries()) {
        view.setInt32(at + CMSGHDR_SIZE + 4 * i, fd, true);
      }
      at = Math.min(at + CMSG_ALIGN(length), bytes.length);
    }
  }
  if (at > 0) {
    const fault = task.memory.writeBytes(addr, bytes.subarray(0, at));
    if (fault !== null) return fault;
  }
  return { length: at, flags };
}

function putHeader(
  view: DataView,
  at: number,
  length: number,
  type: number,
): void {
  view.setUint32(at + CMSGHDR.cmsg_len, length, true);
  view.setUint32(at + CMSGHDR.cmsg_len + 4, 0, true);
  view.setInt32(at + CMSGHDR.cmsg_level, SOL_SOCKET, true);
  view.setInt32(at + CMSGHDR.cmsg_type, type, true);
}

/** Descriptors for the first files, at most `room`; the others are closed. */
function installRights(
  task: Task,
  rights: readonly FileDescription[],
  room: number,
  closeOnExec: boolean,
): number[] {
  const limit = task.limit(RLIMIT_NOFILE);
  const fds: number[] = [];
  let isFull = false;
  for (const file of rights) {
    if (!isFull && fds.length < room) {
      const fd = task.fdTable.install(file, { closeOnExec, limit });
      if (!isErrno(fd)) {
        fds.push(fd);
        continue;
      }
      isFull = true;
    }
    file.release();
  }
  return fds;
}
