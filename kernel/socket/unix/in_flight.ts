/**
 * Files in flight: descriptors that were sent with SCM_RIGHTS and not received
 * yet. A message owns a reference on each. Sockets that only messages in each
 * other's queues refer to can never be received again; closing() and drop() find
 * those cycles and drop their messages. Source: unix(7), SCM_RIGHTS.
 * @module
 */
import { CAP_SYS_ADMIN, CAP_SYS_RESOURCE } from "../../abi/capability.ts";
import { type Errno, ETOOMANYREFS } from "../../abi/errno.ts";
import { RLIMIT_NOFILE } from "../../abi/resource.ts";
import type { Caller } from "../../vfs/caller.ts";
import type { FileDescription } from "../../vfs/file_description.ts";

/** Files of one message. */
export interface Rights {
  readonly files: readonly FileDescription[];
  /** Whose limit they count against. */
  readonly uid: number;
}

/** A socket whose queues may hold files: what the collector walks over. */
export interface RightsHolder {
  readonly references: number;
  /** Files in messages that wait here, and in connections not accepted. */
  heldFiles(): Iterable<FileDescription>;
  /** Drops every message that waits here, with its files. */
  discardMessages(): void;
}

function isHolder(
  file: FileDescription,
): file is FileDescription & RightsHolder {
  return "heldFiles" in file;
}

export class InFlight {
  /** How many messages hold each socket. */
  readonly #holders = new Map<RightsHolder, number>();
  readonly #perUser = new Map<number, number>();
  /** Files to release; a list, so that a long chain of sockets that hold each
   * other does not become as deep a recursion. */
  readonly #doomed: FileDescription[] = [];
  #isReleasing = false;
  #isCollecting = false;
  #mustCollect = false;

  /** Takes over the references of files that a message will hold. ETOOMANYREFS:
   * the caller's user has more in flight than RLIMIT_NOFILE. */
  send(files: readonly FileDescription[], caller: Caller): Rights | Errno {
    const { uid } = caller.identity;
    const count = this.#perUser.get(uid) ?? 0;
    if (
      count > caller.limit(RLIMIT_NOFILE) &&
      !caller.identity.has(CAP_SYS_RESOURCE) &&
      !caller.identity.has(CAP_SYS_ADMIN)
    ) return ETOOMANYREFS;
    this.#perUser.set(uid, count + files.length);
    for (const file of files) {
      if (!isHolder(file)) continue;
      this.#holders.set(file, (this.#holders.get(file) ?? 0) + 1);
    }
    return { files, uid };
  }

  /** The message was received: its references are the receiver's now. */
  receive(rights: Rights): readonly FileDescription[] {
    const left = (this.#perUser.get(rights.uid) ?? 0) - rights.files.length;
    if (left > 0) this.#perUser.set(rights.uid, left);
    else this.#perUser.delete(rights.uid);
    for (const file of rights.files) {
      if (!isHolder(file)) continue;
      const count = (this.#holders.get(file) ?? 0) - 1;
      if (count > 0) this.#holders.set(file, count);
      else this.#holders.delete(file);
    }
    return rights.files;
  }

  /** The message is dropped: so are its files. What only a cycle holds after
   * that goes, too. */
  drop(rights: Rights): void {
    this.#doomed.push(...this.receive(rights));
    if (this.#isReleasing) return;
    this.#isReleasing = true;
    let mayLeaveCycle = false;
    for (let file = this.#doomed.pop(); file !== undefined;) {
      file.release();
      if (isHolder(file) && this.#holders.has(file)) mayLeaveCycle = true;
      file = this.#doomed.pop();
    }
    this.#isReleasing = false;
    if (mayLeaveCycle) this.#collectAll(null);
  }

  /** One reference on `closing` is about to go, by close(2): drops the messages
   * of sockets that nobody can reach any more after that. */
  closing(closing: RightsHolder): void {
    if (this.#holders.has(closing)) this.#collectAll(closing);
  }

  #collectAll(closing: RightsHolder | null): void {
    this.#mustCollect = true;
    if (this.#isCollecting) return;
    this.#isCollecting = true;
    while (this.#mustCollect) {
      this.#mustCollect = false;
      this.#collect(closing);
    }
    this.#isCollecting = false;
  }

  #collect(closing: RightsHolder | null): void {
    // Candidates have no reference but those of messages.
    const unexplained = new Map<RightsHolder, number>();
    for (const [holder, count] of this.#holders) {
      const references = holder.references - (holder === closing ? 1 : 0);
      if (references === count) unexplained.set(holder, count);
    }
    // What other candidates' messages explain may be garbage.
    for (const holder of unexplained.keys()) {
      for (const file of holder.heldFiles()) {
        if (!isHolder(file)) continue;
        const count = unexplained.get(file);
        if (count !== undefined) unexplained.set(file, count - 1);
      }
    }
    // Somebody else's message leads to the rest, and to all that they hold.
    const reachable: RightsHolder[] = [];
    for (const [holder, count] of unexplained) {
      if (count > 0) reachable.push(holder);
    }
    for (const holder of reachable) unexplained.delete(holder);
    for (let at = reachable.pop(); at !== undefined; at = reachable.pop()) {
      for (const file of at.heldFiles()) {
        if (isHolder(file) && unexplained.delete(file)) reachable.push(file);
      }
    }
    for (const garbage of unexplained.keys()) garbage.discardMessages();
  }
}
