/**
 * Tty: a pseudo terminal pair's common state: modes, the line discipline, the
 * queues of both sides, the window and the session that it controls. The
 * descriptors are in tty_description.ts (program side, "slave") and
 * pty_master.ts; ioctl(2) is in tty_ioctl.ts.
 *
 * Bytes from the master wait in `staged` until the discipline takes them; what
 * programs write, and echo, waits in `output` until the master reads. Source:
 * pty(7), tty(4), termios(3), ioctl_tty(2).
 * @module
 */
import { EIO, ERESTARTSYS, type Errno } from "../../abi/errno.ts";
import {
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLOUT,
  POLLPRI,
  POLLRDNORM,
  POLLWRNORM,
} from "../../abi/poll.ts";
import { SIGCONT, SIGHUP, SIGTTIN, SIGWINCH } from "../../abi/signal.ts";
import {
  TIOCPKT_FLUSHREAD,
  TIOCPKT_FLUSHWRITE,
  TIOCPKT_START,
  TIOCPKT_STOP,
} from "../../abi/termios.ts";
import { WaitQueue } from "../../sync/wait_queue.ts";
import type { Clock } from "../../time/clock.ts";
import { Timer, type TimerQueue } from "../../time/timer_queue.ts";
import type {
  Caller,
  ControllingTerminal,
  JobControl,
} from "../../vfs/caller.ts";
import { ByteQueue } from "./byte_queue.ts";
import { type DisciplineOwner, LineDiscipline } from "./line_discipline.ts";
import { OutputQueue } from "./output_queue.ts";
import { Termios } from "./termios.ts";

const READABLE = POLLIN | POLLRDNORM;
const WRITABLE = POLLOUT | POLLWRNORM;
/** Bytes that the master may write before the discipline takes them. */
const STAGED_CAPACITY = 65536;

/** struct winsize. */
export interface WindowSize {
  readonly rows: number;
  readonly columns: number;
  readonly xpixel: number;
  readonly ypixel: number;
}

/** What terminals need of the kernel. */
export interface TtyServices {
  readonly clock: Clock;
  readonly timers: TimerQueue;
}

/** Ends a read's wait when VTIME is over. */
class InputTimer extends Timer {
  constructor(readonly tty: Tty) {
    super();
  }
  override expire(): void {
    this.tty.queue.wake(READABLE);
  }
}

/** What a session has left of a terminal that was hung up: whom to tell when
 * its leader exits. It counts as no terminal. */
class FormerTerminal implements ControllingTerminal {
  readonly #jobControl: JobControl;
  constructor(jobControl: JobControl, readonly foregroundGroup: number) {
    this.#jobControl = jobControl;
  }
  onSessionEnd(): void {
    const { foregroundGroup } = this;
    if (foregroundGroup === 0) return;
    this.#jobControl.signalProcessGroup(foregroundGroup, SIGHUP);
    this.#jobControl.signalProcessGroup(foregroundGroup, SIGCONT);
  }
}

/** The caller's controlling terminal that still is one. */
export function terminalOf(caller: Caller): Tty | null {
  const { controllingTerminal } = caller.jobControl;
  return controllingTerminal instanceof Tty ? controllingTerminal : null;
}

export class Tty implements ControllingTerminal, DisciplineOwner {
  readonly termios = new Termios();
  readonly output = new OutputQueue(this.termios);
  readonly discipline: LineDiscipline;
  /** Bytes from the master on their way to the discipline. */
  readonly staged = new ByteQueue(STAGED_CAPACITY);
  /** Waiters of the program side. */
  readonly queue = new WaitQueue();
  /** Waiters of the master side. */
  readonly masterQueue = new WaitQueue();

  windowSize: WindowSize = { rows: 0, columns: 0, xpixel: 0, ypixel: 0 };
  /** TIOCEXCL. */
  isExclusive = false;
  /** TIOCPKT on the master, and TIOCPKT_* bits to report. */
  isPacketMode = false;
  packetStatus = 0;

  // The session that this terminal controls: its id, and its leader's hands.
  sessionId = 0;
  foregroundGroup = 0;
  #session: JobControl | null = null;

  // Open descriptors. A hang-up ends those of earlier generations.
  generation = 0;
  #programOpens = 0;
  #wasOpened = false;
  isMasterClosed = false;

  readonly #services: TtyServices;
  readonly #timer = new InputTimer(this);

  /** `device`: the device number of the program side. */
  constructor(readonly device: number, services: TtyServices) {
    this.#services = services;
    this.discipline = new LineDiscipline(this.termios, this.output, this);
  }

  // Descriptors.

  programOpened(): void {
    this.#programOpens++;
    this.#wasOpened = true;
  }
  programClosed(): void {
    this.#programOpens--;
    if (this.#programOpens === 0) this.masterQueue.wake(POLLHUP | READABLE);
  }
  /** True once every descriptor of the program side was closed again. */
  get isProgramClosed(): boolean {
    return this.#wasOpened && this.#programOpens === 0;
  }
  get programOpens(): number {
    return this.#programOpens;
  }

  /** POLL* bits of the program side. */
  get readiness(): number {
    let events = this.discipline.hasInput ? READABLE : 0;
    if (this.canWrite) events |= WRITABLE;
    return events;
  }
  /** POLL* bits of the master side. */
  get masterReadiness(): number {
    let events = this.output.bytes.length > 0 ? READABLE : 0;
    if (this.isPacketMode && this.packetStatus !== 0) {
      events |= POLLPRI | READABLE;
    }
    if (this.staged.room > 0) events |= WRITABLE;
    if (this.isProgramClosed) events |= POLLHUP;
    return events;
  }
  get canWrite(): boolean {
    return !this.output.isStopped && this.output.hasRoom;
  }

  // Data.

  /** Bytes were added to `staged`, or the discipline has room again. */
  processInput(): void {
    if (this.staged.length === 0) return;
    const wasFull = this.staged.room <= 0;
    this.discipline.lastInputNs = this.#services.clock.monotonicNs();
    let isNew = false;
    while (this.staged.length > 0 && this.discipline.hasRoom) {
      if (this.discipline.receive(this.staged.shift())) isNew = true;
    }
    if (isNew) this.queue.wake(READABLE);
    this.#wakeMaster(wasFull ? WRITABLE : 0);
  }

  /** The other side has something to read, after echo or a write. */
  outputAdded(): void {
    this.#wakeMaster(0);
  }
  #wakeMaster(events: number): void {
    const all = events | (this.output.bytes.length > 0 ? READABLE : 0);
    if (all !== 0 && !this.masterQueue.isEmpty) this.masterQueue.wake(all);
  }
  /** The master has read. */
  outputRemoved(): void {
    if (this.canWrite && !this.queue.isEmpty) this.queue.wake(WRITABLE);
  }

  /** CLOCK_MONOTONIC, for VTIME. */
  get nowNs(): number {
    return this.#services.clock.monotonicNs();
  }
  /** A reader waits for VTIME to run out. */
  wakeReadersAt(deadlineNs: number): void {
    if (deadlineNs === Infinity) return;
    this.#services.timers.arm(this.#timer, deadlineNs);
  }

  // Flow control and flushing.

  get isOutputStopped(): boolean {
    return this.output.isStopped;
  }
  stopOutput(): void {
    if (this.output.isStopped) return;
    this.output.stop();
    this.report(TIOCPKT_STOP, TIOCPKT_START);
  }
  startOutput(): void {
    if (!this.output.isStopped) return;
    this.output.start();
    this.report(TIOCPKT_START, TIOCPKT_STOP);
    this.#wakeMaster(0);
    this.outputRemoved();
  }
  flushInput(): void {
    this.discipline.flushInput();
    this.staged.clear();
    this.report(TIOCPKT_FLUSHREAD, 0);
    this.masterQueue.wake(WRITABLE);
  }
  flushOutput(): void {
    this.output.flush();
    this.report(TIOCPKT_FLUSHWRITE, 0);
    this.outputRemoved();
  }
  /** Packet mode: tells the master of a change, instead of its opposite. */
  report(status: number, opposite: number): void {
    if (!this.isPacketMode) return;
    this.packetStatus = (this.packetStatus & ~opposite) | status;
    this.masterQueue.wake(POLLPRI | READABLE);
  }

  // Window.

  /** TIOCSWINSZ, and the host's SIGWINCH: tells the foreground group. */
  setWindowSize(size: WindowSize): void {
    const old = this.windowSize;
    if (
      old.rows === size.rows && old.columns === size.columns &&
      old.xpixel === size.xpixel && old.ypixel === size.ypixel
    ) return;
    this.windowSize = size;
    this.signalForeground(SIGWINCH);
  }

  // Job control.

  signalForeground(signo: number): void {
    if (this.foregroundGroup === 0) return;
    this.#session?.signalProcessGroup(this.foregroundGroup, signo);
  }

  /** True if this is the controlling terminal of the caller's session. */
  controls(caller: Caller): boolean {
    return caller.jobControl.controllingTerminal === this;
  }

  /**
   * What happens to a background process that reads (SIGTTIN), or writes or
   * changes modes (SIGTTOU). EIO: it cannot be stopped; ERESTARTSYS: the signal
   * was sent to its group.
   */
  checkBackground(caller: Caller, signo: number): Errno | null {
    const { jobControl } = caller;
    if (!this.controls(caller)) return null;
    const group = jobControl.processGroupId;
    if (this.foregroundGroup === 0 || group === this.foregroundGroup) {
      return null;
    }
    if (jobControl.ignoresOrBlocks(signo)) {
      return signo === SIGTTIN ? EIO : null;
    }
    if (jobControl.isOrphaned) return EIO;
    jobControl.signalProcessGroup(group, signo);
    return ERESTARTSYS;
  }

  /** Makes it the controlling terminal of the caller, a session leader. */
  attach(jobControl: JobControl): void {
    this.#session = jobControl;
    this.sessionId = jobControl.sessionId;
    this.foregroundGroup = jobControl.processGroupId;
    jobControl.controllingTerminal = this;
  }

  /** Lets go of its session, without a signal. */
  detach(): void {
    const session = this.#session;
    this.#session = null;
    this.sessionId = 0;
    this.foregroundGroup = 0;
    if (session?.controllingTerminal === this) {
      session.controllingTerminal = null;
    }
  }

  /** The descriptors stay alive, as for every pseudo terminal on Linux. */
  onSessionEnd(): void {
    this.signalForeground(SIGHUP);
    this.detach();
  }

  /** vhangup(2), or the master's end: descriptors of the program side are dead
   * from now on, and the session's leader is told. */
  hangUp(): void {
    const session = this.#session;
    session?.signalSessionLeader(SIGHUP);
    session?.signalSessionLeader(SIGCONT);
    const former = this.foregroundGroup;
    this.detach();
    if (session !== null) {
      session.controllingTerminal = new FormerTerminal(session, former);
    }
    this.generation++;
    this.#programOpens = 0;
    this.#services.timers.cancel(this.#timer);
    this.discipline.flushInput();
    this.staged.clear();
    this.termios.reset();
    this.output.start();
    this.queue.wake(READABLE | WRITABLE | POLLERR | POLLHUP);
    this.masterQueue.wake(READABLE | WRITABLE | POLLHUP);
  }
}
