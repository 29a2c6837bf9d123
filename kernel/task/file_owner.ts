/**
 * FileOwner: who hears by a signal that an open file became ready (O_ASYNC) or
 * that its lease is being broken. Source: fcntl(2), "Managing signals"; signal(7).
 * @module
 */
import { EINVAL, type Errno, ESRCH } from "../abi/errno.ts";
import { F_OWNER_PGRP, F_OWNER_PID, F_OWNER_TID } from "../abi/fcntl.ts";
import {
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLMSG,
  POLLOUT,
  POLLPRI,
  POLLRDBAND,
  POLLRDNORM,
  POLLWRBAND,
  POLLWRNORM,
} from "../abi/poll.ts";
import {
  POLL_ERR,
  POLL_HUP,
  POLL_IN,
  POLL_OUT,
  POLL_PRI,
  SI_SIGIO,
  SIGBUS,
  SIGCHLD,
  SIGFPE,
  SIGILL,
  SIGINFO,
  SIGINFO_SIZE,
  SIGIO,
  SIGSEGV,
  SIGSYS,
  SIGTRAP,
} from "../abi/signal.ts";
import { Waiter } from "../sync/wait_queue.ts";
import type { FileDescription, SignalOwner } from "../vfs/file_description.ts";
import type { Credentials } from "./credentials.ts";
import { ProcessGroup } from "./job_control.ts";
import { kernelSignal, queuedSignal } from "./signal_info.ts";
import { sendToGroup, sendToTask } from "./signal_send.ts";
import type { Task } from "./task.ts";
import type { ThreadGroup } from "./thread_group.ts";

/** Signals whose positive si_code says something else than POLL_*. */
const OWN_CODES: ReadonlySet<number> = new Set([
  SIGILL,
  SIGFPE,
  SIGSEGV,
  SIGBUS,
  SIGTRAP,
  SIGCHLD,
  SIGSYS,
]);

/** si_band by POLL_* less one. */
const BANDS = [
  POLLIN | POLLRDNORM,
  POLLOUT | POLLWRNORM | POLLWRBAND,
  POLLIN | POLLRDNORM | POLLMSG,
  POLLERR,
  POLLPRI | POLLRDBAND,
  POLLHUP | POLLERR,
];

type Target = Task | ThreadGroup | ProcessGroup;

export class FileOwner extends Waiter implements SignalOwner {
  readonly #file: FileDescription;
  /** F_OWNER_*. */
  #type = F_OWNER_TID;
  /** Who it was when it was set: a later process with its number is another. */
  #target: Target | null = null;
  #by: Credentials | null = null;
  /** The descriptor that O_ASYNC or the lease was set through, for si_fd. */
  fd = -1;
  /** F_SETSIG; 0: SIGIO without details. */
  signo = 0;

  constructor(file: FileDescription) {
    super();
    this.#file = file;
  }

  /** The owner of an open file, made on first use. */
  static of(file: FileDescription): FileOwner {
    if (file.signalOwner instanceof FileOwner) return file.signalOwner;
    const owner = new FileOwner(file);
    file.signalOwner = owner;
    return owner;
  }

  get hasTarget(): boolean {
    return this.#target !== null;
  }
  get type(): number {
    return this.#type;
  }
  /** The owner's number; 0: none, or gone. */
  get id(): number {
    const target = this.#target;
    if (target === null) return 0;
    if (target instanceof ProcessGroup) {
      return target.members.size > 0 ? target.id : 0;
    }
    if ("leader" in target) return target.isZombie ? 0 : target.pid;
    return target.state === "dead" ? 0 : target.tid;
  }

  /** F_SETOWN_EX. `id` 0: nobody. EINVAL: another type; ESRCH. */
  setTarget(type: number, id: number, task: Task): Errno | null {
    if (type < F_OWNER_TID || type > F_OWNER_PGRP) return EINVAL;
    const target = id === 0 ? null : find(type, id, task);
    if (target === undefined) return ESRCH;
    this.#type = type;
    this.#target = target;
    this.#by = task.credentials;
    return null;
  }

  /** O_ASYNC is set through descriptor `fd`. */
  start(fd: number): void {
    this.stop();
    this.fd = fd;
    const events = POLLIN | POLLOUT | POLLPRI | POLLERR | POLLHUP |
      POLLRDNORM | POLLWRNORM | POLLRDBAND | POLLWRBAND;
    this.#file.queue.add(this, events);
  }
  /** O_ASYNC is cleared. */
  stop(): void {
    this.queue?.remove(this);
  }
  end(): void {
    this.stop();
    this.#target = null;
  }

  notify(events: number): boolean {
    const ready = this.#file.readiness() & events;
    if ((ready & (POLLIN | POLLRDNORM)) !== 0) this.send(POLL_IN);
    else if ((ready & (POLLOUT | POLLWRNORM)) !== 0) this.send(POLL_OUT);
    else if ((ready & POLLPRI) !== 0) this.send(POLL_PRI);
    else if ((ready & POLLERR) !== 0) this.send(POLL_ERR);
    else if ((ready & POLLHUP) !== 0) this.send(POLL_HUP);
    return ready !== 0;
  }

  send(reason: number): void {
    const target = this.#target;
    if (target === null) return;
    if (target instanceof ProcessGroup) {
      for (const process of [...target.members]) {
        this.#sendTo(process.leader, process, reason);
      }
    } else if ("leader" in target) {
      this.#sendTo(target.leader, target, reason);
    } else this.#sendTo(target, null, reason);
  }

  /** To one thread, or (with `group`) to its process. */
  #sendTo(task: Task, group: ThreadGroup | null, reason: number): void {
    if (!this.#maySignal(task.credentials)) return;
    const info = this.#info(reason);
    const send = (what: ReturnType<typeof kernelSignal>) =>
      group === null ? sendToTask(task, what) : sendToGroup(group, what);
    // A full queue must not hide that something happened.
    if (send(info) !== null) send(kernelSignal(SIGIO));
  }

  #info(reason: number): ReturnType<typeof kernelSignal> {
    const { signo } = this;
    if (signo === 0) return kernelSignal(SIGIO);
    const bytes = new Uint8Array(SIGINFO_SIZE);
    const view = new DataView(bytes.buffer);
    const isOwn = signo !== SIGIO && OWN_CODES.has(signo);
    view.setInt32(SIGINFO.si_code, isOwn ? SI_SIGIO : reason, true);
    view.setInt32(SIGINFO.si_band, BANDS[reason - 1]!, true);
    view.setInt32(SIGINFO.si_fd, this.fd, true);
    return queuedSignal(signo, bytes);
  }

  /** As kill(2) by whoever set the owner. */
  #maySignal(other: Credentials): boolean {
    const by = this.#by;
    if (by === null) return false;
    return by.euid === 0 || by.euid === other.suid || by.euid === other.uid ||
      by.uid === other.suid || by.uid === other.uid;
  }
}

function find(type: number, id: number, task: Task): Target | undefined {
  const { namespace } = task;
  if (type === F_OWNER_PGRP) return namespace.processGroups.get(id);
  const found = namespace.task(id) ?? undefined;
  return type === F_OWNER_PID ? found?.threadGroup : found;
}
