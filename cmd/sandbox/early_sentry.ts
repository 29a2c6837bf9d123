/**
 * The Sentry that the launcher (build/runsc) has started before the command
 * line: namespaces, descriptors and program are those that children.ts would
 * have given it, and it waits for its spec in a pipe. So it loads while the
 * command line does. If that does not want it, it ends by itself, since nobody
 * holds the other end of the pipe.
 * @module
 */
import type { DescriptorMaker } from "../../ffi/files.ts";
import type { Child } from "../../ffi/spawn.ts";
import { EAGAIN, EINTR } from "../../kernel/abi/errno.ts";
import { POLLOUT } from "../../kernel/abi/poll.ts";
import { UsageError } from "../runtime_error.ts";
import type { HostUser } from "./host_user.ts";

/** What it was started with, by the one who asks whether it will do. */
interface Wanted {
  readonly user: HostUser;
  readonly logFd: number;
  readonly stdio: readonly number[];
}

/** The user for whom the launcher starts it. */
export const EARLY_USER: HostUser = { uid: 0, gid: 0, isRootless: false };

const STDERR = 2;

export class EarlySentry {
  readonly child: Child;
  /** Our end of the connection with it. */
  readonly control: number;
  /** The file server's end of its connection with it. */
  readonly gofer: number;
  /** Where its spec goes. */
  readonly spec: number;

  /** `flag`: the launcher's, five numbers. Throws a UsageError for others. */
  constructor(flag: string) {
    const numbers = flag.split(",").map(Number);
    const [control, gofer, spec, pid, pidfd] = numbers;
    if (
      numbers.length !== 5 || !numbers.every(Number.isSafeInteger) ||
      control === undefined || gofer === undefined || spec === undefined ||
      pid === undefined || pidfd === undefined
    ) throw new UsageError("flag --early-sentry is for the launcher only");
    this.control = control;
    this.gofer = gofer;
    this.spec = spec;
    this.child = { pid, pidfd };
  }

  /** It is root's, logs to our standard error and has our streams. */
  suits({ user, logFd, stdio }: Wanted): boolean {
    const isRoots = user.uid === EARLY_USER.uid && !user.isRootless;
    return isRoots && logFd === STDERR && stdio.every((fd, at) => fd === at);
  }

  /** Gives it its spec, however slow it is to read. If it has died, whoever
   * listens to its connection knows. */
  begin(descriptors: DescriptorMaker, spec: Uint8Array<ArrayBuffer>): void {
    let rest = spec;
    while (rest.length > 0) {
      const count = descriptors.write(this.spec, rest);
      if (count >= 0) rest = rest.subarray(count);
      else if (count === -EAGAIN.code) {
        descriptors.poll(this.spec, POLLOUT, -1);
      } else if (count !== -EINTR.code) break;
    }
    descriptors.close(this.spec);
  }
}
