/**
 * The magic links /proc/PID/exe, cwd and root, and the namespace links.
 * Source: proc_pid_exe(5), proc_pid_cwd(5), proc_pid_root(5), namespaces(7).
 * @module
 */
import { ENOENT, type Errno, isErrno } from "../../abi/errno.ts";
import type { ByteString } from "../../mm/user_memory.ts";
import type { Caller } from "../../vfs/caller.ts";
import type { VfsPath } from "../../vfs/mount.ts";
import { showPath } from "../../vfs/path_name.ts";
import { link } from "../kernfs/entries.ts";
import type { Entry } from "../kernfs/entry_table.ts";
import { checkTraceAccess } from "./access.ts";
import type { ProcessRef } from "./process_ref.ts";

/** A magic link to a place that the process holds, null if it has none. */
function placeLink(
  name: string,
  placeOf: (ref: ProcessRef) => VfsPath | null,
): Entry<ProcessRef> {
  const follow = (ref: ProcessRef, caller: Caller): VfsPath | Errno =>
    checkTraceAccess(caller, ref.task) ?? placeOf(ref) ?? ENOENT;
  return link(name, {
    follow,
    read(ref, caller): ByteString | Errno {
      const place = follow(ref, caller);
      return isErrno(place) ? place : showPath(caller.fsContext.root, place);
    },
  });
}

export const PLACE_LINKS: readonly Entry<ProcessRef>[] = [
  placeLink("cwd", (ref) => ref.fsContext?.cwd ?? null),
  placeLink("root", (ref) => ref.fsContext?.root ?? null),
  placeLink("exe", (ref) => ref.isDead ? null : ref.group.executable),
];
