/**
 * The terminal of a process: a pty of the container's own devpts, pumped to and
 * from the host's terminal.
 * @module
 */
import type { DescriptorMaker } from "../../ffi/files.ts";
import { type Errno, isErrno } from "../../kernel/abi/errno.ts";
import { O_NOCTTY, O_RDWR } from "../../kernel/abi/fcntl.ts";
import { POLLOUT } from "../../kernel/abi/poll.ts";
import { TIOCSCTTY } from "../../kernel/abi/termios.ts";
import { DevptsFileSystem } from "../../kernel/fs/devpts/devpts.ts";
import { openTty } from "../../kernel/fs/devpts/tty_description.ts";
import {
  PUMP_CHUNK,
  TerminalPump,
} from "../../kernel/fs/host/terminal_pump.ts";
import type { HostFd } from "../../kernel/host.ts";
import type { Kernel } from "../../kernel/kernel.ts";
import type { Task } from "../../kernel/task/task.ts";
import type { Caller } from "../../kernel/vfs/caller.ts";
import type { FileDescription } from "../../kernel/vfs/file_description.ts";
import type { VfsPath } from "../../kernel/vfs/mount.ts";
import { FOLLOW } from "../../kernel/vfs/vfs_core.ts";
import { ExitStatus } from "../exit_status.ts";
import { BootError } from "./boot_error.ts";

/** How long a terminal that takes no more output may hold up the end. */
const DRAIN_MS = 1000;

/** Where the mount tree begins, and who opens. */
export interface TerminalPlace {
  readonly kernel: Kernel;
  readonly root: VfsPath;
  readonly caller: Caller;
}

function fail(message: string): never {
  throw new BootError(ExitStatus.BadConfig, message);
}

/** The devpts that is mounted in the container; acquired. */
function devptsPlace({ kernel, root, caller }: TerminalPlace): VfsPath {
  const place = kernel.vfs.resolve(caller, root, "/dev/pts", FOLLOW);
  if (isErrno(place)) fail("a terminal needs devpts mounted on /dev/pts");
  return place;
}

export class ContainerTerminal {
  /** The program's side; stdin, stdout and stderr share it. */
  readonly file: FileDescription;
  readonly #pump: TerminalPump;
  readonly #kernel: Kernel;
  readonly #scratch: number;
  readonly #output: HostFd;

  /** `input`, `output`: the host's terminal, which stays the caller's; `uid`
   * owns the device. Throws a BootError. */
  constructor(
    place: TerminalPlace,
    options: {
      readonly input: HostFd;
      readonly output: HostFd;
      readonly uid: number;
    },
  ) {
    const { kernel, caller } = place;
    this.#kernel = kernel;
    this.#output = options.output;
    const devpts = devptsPlace(place);
    const { fs } = devpts.mount;
    if (!(fs instanceof DevptsFileSystem)) {
      fail("what is mounted on /dev/pts is not devpts");
    }
    const pty = fs.create(caller);
    if (isErrno(pty)) fail(`no terminal: ${pty.name}`);
    pty.isLocked = false;
    pty.inode?.setAttributes({ uid: options.uid });
    const path = pty.placeIn(devpts.mount);
    const file = openTty(pty.tty, path, O_RDWR | O_NOCTTY, caller);
    devpts.release();
    if (isErrno(file)) fail(`no terminal: ${file.name}`);
    const scratch = kernel.memoryFile.allocate(PUMP_CHUNK);
    if (isErrno(scratch)) fail(`no terminal: ${scratch.name}`);
    this.file = file;
    this.#scratch = scratch;
    kernel.terminals.console ??= pty.tty;
    this.#pump = new TerminalPump({
      pty,
      input: options.input,
      output: options.output,
      files: kernel.host.files,
      readiness: kernel.readiness,
      memory: kernel.host.memory,
      scratch,
    });
  }

  /** Makes it the controlling terminal of a new session's leader. */
  readonly takeControl = (task: Task): Errno | null => {
    const result = this.file.ioctl(TIOCSCTTY, 0, task);
    return isErrno(result) ? result : null;
  };

  updateWindowSize(): void {
    this.#pump.updateWindowSize();
  }

  /** Shows what the program wrote last, then hangs up. */
  close(descriptors: DescriptorMaker): void {
    while (!this.#pump.flush()) {
      if (descriptors.poll(this.#output, POLLOUT, DRAIN_MS) <= 0) break;
    }
    this.#pump.close();
    this.#kernel.memoryFile.release(this.#scratch, PUMP_CHUNK);
  }
}
