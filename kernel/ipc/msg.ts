/**
 * System V message queues. Source: msgop(2), msgctl(2).
 * @module
 */
import { MSG_COPY, MSG_EXCEPT, MSGMNB } from "../abi/ipc.ts";
import { WaitQueue } from "../sync/wait_queue.ts";
import type { Identity } from "../vfs/caller.ts";
import { IpcObject, type IpcTable } from "./ipc_table.ts";

/** Where queues live; IpcNamespace is one. */
export interface MessageHome {
  readonly messages: IpcTable<MessageQueue>;
}

export interface Message {
  readonly type: number;
  readonly text: Uint8Array;
}

export class MessageQueue extends IpcObject {
  readonly messages: Message[] = [];
  /** Bytes of all texts, and the most they may become (msg_qbytes). */
  bytes = 0;
  maxBytes: number = MSGMNB;
  /** Seconds since the epoch; 0: never. */
  sendTime = 0;
  receiveTime = 0;
  lastSender = 0;
  lastReceiver = 0;
  /** Woken when room, or a message, came to be, or the queue is gone. */
  readonly roomQueue = new WaitQueue();
  readonly messageQueue = new WaitQueue();

  constructor(key: number, mode: number, creator: Identity, nowSec: number) {
    super(key, mode, creator, nowSec);
  }

  /** Empty messages are bounded too: as many as bytes. */
  hasRoom(length: number): boolean {
    return this.bytes + length <= this.maxBytes &&
      this.messages.length + 1 <= this.maxBytes;
  }

  send(message: Message, pid: number, nowSec: number): void {
    this.messages.push(message);
    this.bytes += message.text.length;
    this.lastSender = pid;
    this.sendTime = nowSec;
    this.messageQueue.wake();
  }

  /** Index of the message that msgrcv(2) with `type` would take; -1: none. */
  find(type: number, flags: number): number {
    const { messages } = this;
    if ((flags & MSG_COPY) !== 0) return type < messages.length ? type : -1;
    if (type === 0) return messages.length > 0 ? 0 : -1;
    if (type > 0) {
      const isExcept = (flags & MSG_EXCEPT) !== 0;
      return messages.findIndex((message) =>
        (message.type === type) !== isExcept
      );
    }
    let best = -1;
    for (const [i, message] of messages.entries()) {
      if (message.type > -type) continue;
      if (best < 0 || message.type < messages[best]!.type) best = i;
    }
    return best;
  }

  take(index: number, pid: number, nowSec: number): void {
    const [message] = this.messages.splice(index, 1);
    if (message === undefined) return;
    this.bytes -= message.text.length;
    this.lastReceiver = pid;
    this.receiveTime = nowSec;
    this.roomQueue.wake();
  }

  remove(namespace: MessageHome): void {
    namespace.messages.remove(this);
    this.messages.length = 0;
    this.bytes = 0;
    this.roomQueue.wake();
    this.messageQueue.wake();
  }
}
