/**
 * msgget(2), msgsnd(2), msgrcv(2), msgctl(2). Queues are in ../ipc/msg.ts.
 * @module
 */
import {
  E2BIG,
  EACCES,
  EAGAIN,
  EFAULT,
  EIDRM,
  EINVAL,
  ENOMSG,
  ENOSYS,
  EPERM,
  ERESTARTNOHAND,
  type Errno,
  isErrno,
} from "../abi/errno.ts";
import { CAP_SYS_RESOURCE } from "../abi/capability.ts";
import * as ipc from "../abi/ipc.ts";
import { IPC_READ, IPC_WRITE } from "../ipc/ipc_table.ts";
import { MessageQueue } from "../ipc/msg.ts";
import type { Task } from "../task/task.ts";
import {
  changeOwner,
  readPermissions,
  setLong,
  statTarget,
  writePermissions,
} from "./ipc_permissions.ts";
import { defineSyscall, type SysResult, unimplemented } from "./syscall.ts";

/** struct msgbuf begins with its type, a long. */
const TYPE_SIZE = 8;

export const msgget = defineSyscall({
  name: "msgget",
  support: "full",
  args: { key: "int", msgflg: "flags" },
  run: (task, { key, msgflg }) => {
    const { credentials } = task;
    return task.ipc.messages.open(
      key,
      msgflg,
      credentials,
      () => null,
      () => {
        const now = task.clock.realtime().sec;
        return new MessageQueue(key, msgflg, credentials, now);
      },
    );
  },
});

/** The queue of a call that may have slept on it: EIDRM if it went meanwhile. */
function queueOf(task: Task, id: number): MessageQueue | Errno {
  const earlier = task.restart.data;
  if (earlier instanceof MessageQueue && earlier.isRemoved) return EIDRM;
  return task.ipc.messages.get(id);
}

export const msgsnd = defineSyscall({
  name: "msgsnd",
  support: "full",
  args: { msqid: "int", msgp: "addr", msgsz: "size", msgflg: "flags" },
  run: (task, { msqid, msgp, msgsz, msgflg }) => {
    const type = task.memory.readI64(msgp);
    if (isErrno(type)) return type;
    if (msgsz > ipc.MSGMAX || msqid < 0 || type < 1) return EINVAL;
    const text = new Uint8Array(msgsz);
    const fault = task.memory.readBytes(msgp + TYPE_SIZE, text);
    if (fault !== null) return fault;
    const queue = queueOf(task, msqid);
    if (isErrno(queue)) return queue;
    const denied = queue.checkAccess(task.credentials, IPC_WRITE);
    if (denied !== null) return denied;
    if (queue.hasRoom(msgsz)) {
      const now = task.clock.realtime().sec;
      queue.send({ type, text }, task.processId, now);
      return 0;
    }
    if ((msgflg & ipc.IPC_NOWAIT) !== 0) return EAGAIN;
    return sleep(task, queue, "room");
  },
});

function sleep(
  task: Task,
  queue: MessageQueue,
  what: "room" | "message",
): SysResult {
  task.restart.data = queue;
  const blocked = task.block(
    what === "room" ? queue.roomQueue : queue.messageQueue,
  );
  // Never restarted once a handler ran, whatever SA_RESTART says (signal(7)).
  return isErrno(blocked) ? ERESTARTNOHAND : blocked;
}

export const msgrcv = defineSyscall({
  name: "msgrcv",
  support: { partial: "MSG_COPY fails with ENOSYS" },
  args: {
    msqid: "int",
    msgp: "addr",
    msgsz: "size",
    msgtyp: "long",
    msgflg: "flags",
  },
  run: (task, { msqid, msgp, msgsz, msgtyp, msgflg }) => {
    if (msqid < 0 || msgsz >= 2 ** 63) return EINVAL;
    if ((msgflg & ipc.MSG_COPY) !== 0) {
      // As a kernel without CONFIG_CHECKPOINT_RESTORE.
      if ((msgflg & ipc.MSG_EXCEPT) !== 0) return EINVAL;
      if ((msgflg & ipc.IPC_NOWAIT) === 0) return EINVAL;
      unimplemented(task, "msgrcv: MSG_COPY");
      return ENOSYS;
    }
    const queue = queueOf(task, msqid);
    if (isErrno(queue)) return queue;
    const denied = queue.checkAccess(task.credentials, IPC_READ);
    if (denied !== null) return EACCES;
    const index = queue.find(msgtyp, msgflg);
    if (index < 0) {
      if ((msgflg & ipc.IPC_NOWAIT) !== 0) return ENOMSG;
      return sleep(task, queue, "message");
    }
    const message = queue.messages[index]!;
    const isCut = message.text.length > msgsz;
    if (isCut && (msgflg & ipc.MSG_NOERROR) === 0) return E2BIG;
    // Linux takes it off before it stores it: a fault loses the message.
    queue.take(index, task.processId, task.clock.realtime().sec);
    const text = isCut ? message.text.subarray(0, msgsz) : message.text;
    if (task.memory.writeU64(msgp, message.type) !== null) return EFAULT;
    return task.memory.writeBytes(msgp + TYPE_SIZE, text) ?? text.length;
  },
});

export const msgctl = defineSyscall({
  name: "msgctl",
  support: "full",
  args: { msqid: "int", op: "int", buf: "addr" },
  run: (task, { msqid, op, buf }) => {
    const command = op & ~ipc.IPC_64;
    if (msqid < 0 || op < 0) return EINVAL;
    switch (command) {
      case ipc.IPC_INFO:
      case ipc.MSG_INFO:
        return info(task, command, buf);
      case ipc.IPC_STAT:
      case ipc.MSG_STAT:
      case ipc.MSG_STAT_ANY:
        return status(task, msqid, command, buf);
      case ipc.IPC_SET:
      case ipc.IPC_RMID:
        return control(task, msqid, command, buf);
      default:
        return EINVAL;
    }
  },
});

/** msgpool, msgmap and msgseg of old, which nothing uses. */
const MSGPOOL = ipc.MSGMNI * ipc.MSGMNB / 1024;
const MSGSSZ = 16;
const MSGSEG = 0xffff;

/** struct msginfo: eight words, the last a short. */
function info(task: Task, command: number, addr: number): SysResult {
  const { messages } = task.ipc;
  let texts = 0;
  let bytes = 0;
  for (const queue of messages.values()) {
    texts += queue.messages.length;
    bytes += queue.bytes;
  }
  const isUse = command === ipc.MSG_INFO;
  const words = [
    isUse ? messages.count : MSGPOOL,
    isUse ? texts : ipc.MSGMNB,
    ipc.MSGMAX,
    ipc.MSGMNB,
    ipc.MSGMNI,
    MSGSSZ,
    isUse ? bytes : ipc.MSGMNB,
    MSGSEG,
  ];
  return task.memory.writeI32s(addr, words) ?? messages.maxSlot;
}

function status(
  task: Task,
  id: number,
  command: number,
  addr: number,
): SysResult {
  const bySlot = command !== ipc.IPC_STAT;
  const queue = statTarget(task.ipc.messages, id, bySlot);
  if (isErrno(queue)) return queue;
  if (command !== ipc.MSG_STAT_ANY) {
    const denied = queue.checkAccess(task.credentials, IPC_READ);
    if (denied !== null) return denied;
  }
  const bytes = new Uint8Array(ipc.MSQID64_DS_SIZE);
  const view = new DataView(bytes.buffer);
  writePermissions(view, queue);
  setLong(view, ipc.MSQID64_DS.msg_stime, queue.sendTime);
  setLong(view, ipc.MSQID64_DS.msg_rtime, queue.receiveTime);
  setLong(view, ipc.MSQID64_DS.msg_ctime, queue.changeTime);
  setLong(view, ipc.MSQID64_DS.msg_cbytes, queue.bytes);
  setLong(view, ipc.MSQID64_DS.msg_qnum, queue.messages.length);
  setLong(view, ipc.MSQID64_DS.msg_qbytes, queue.maxBytes);
  view.setInt32(ipc.MSQID64_DS.msg_lspid, queue.lastSender, true);
  view.setInt32(ipc.MSQID64_DS.msg_lrpid, queue.lastReceiver, true);
  return task.memory.writeBytes(addr, bytes) ?? (bySlot ? queue.id : 0);
}

function control(
  task: Task,
  id: number,
  command: number,
  addr: number,
): SysResult {
  const bytes = new Uint8Array(ipc.MSQID64_DS_SIZE);
  const view = new DataView(bytes.buffer);
  if (command === ipc.IPC_SET) {
    const fault = task.memory.readBytes(addr, bytes);
    if (fault !== null) return fault;
  }
  const queue = task.ipc.messages.get(id);
  if (isErrno(queue)) return queue;
  const denied = queue.checkOwner(task.credentials);
  if (denied !== null) return denied;
  if (command === ipc.IPC_RMID) {
    queue.remove(task.ipc);
    return 0;
  }
  const maxBytes = view.getUint32(ipc.MSQID64_DS.msg_qbytes, true) +
    view.getUint32(ipc.MSQID64_DS.msg_qbytes + 4, true) * 4294967296;
  if (maxBytes > ipc.MSGMNB && !task.credentials.has(CAP_SYS_RESOURCE)) {
    return EPERM;
  }
  const failed = changeOwner(
    queue,
    readPermissions(view),
    task.clock.realtime().sec,
  );
  if (failed !== null) return failed;
  queue.maxBytes = maxBytes;
  queue.roomQueue.wake();
  return 0;
}
