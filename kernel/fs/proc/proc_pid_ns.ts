/**
 * /proc/PID/ns: the namespaces of a task as links to files of nsfs. Only UTS
 * and PID namespaces can be several. Source: namespaces(7).
 * @module
 */
import { type Errno, isErrno } from "../../abi/errno.ts";
import type { ByteString } from "../../mm/user_memory.ts";
import type { Caller } from "../../vfs/caller.ts";
import type { VfsPath } from "../../vfs/mount.ts";
import { link } from "../kernfs/entries.ts";
import type { Entry } from "../kernfs/entry_table.ts";
import { checkTraceAccess } from "./access.ts";
import type { NamespaceKind } from "./nsfs.ts";
import type { ProcessRef } from "./process_ref.ts";

/** The namespace of a kind that a task is in; null for the first one. */
function namespaceOf(ref: ProcessRef, kind: NamespaceKind): object | null {
  const { rootPidNamespace } = ref.root.kernel;
  const { task } = ref;
  if (kind === "pid") {
    return task.namespace === rootPidNamespace ? null : task.namespace;
  }
  if (kind !== "uts") return null;
  const init = rootPidNamespace.task(1);
  return init === null || init.uts === task.uts ? null : task.uts;
}

function namespaceLink(name: string, kind: NamespaceKind): Entry<ProcessRef> {
  const follow = (ref: ProcessRef, caller: Caller): VfsPath | Errno =>
    checkTraceAccess(caller, ref.task) ??
      ref.root.facts.namespaces.placeOf(kind, namespaceOf(ref, kind));
  return link(name, {
    follow,
    read(ref, caller): ByteString | Errno {
      const place = follow(ref, caller);
      return isErrno(place) ? place : place.dentry.name;
    },
  });
}

export const NAMESPACE_LINKS: readonly Entry<ProcessRef>[] = [
  namespaceLink("cgroup", "cgroup"),
  namespaceLink("ipc", "ipc"),
  namespaceLink("mnt", "mnt"),
  namespaceLink("net", "net"),
  namespaceLink("pid", "pid"),
  namespaceLink("pid_for_children", "pid"),
  namespaceLink("time", "time"),
  namespaceLink("time_for_children", "time"),
  namespaceLink("user", "user"),
  namespaceLink("uts", "uts"),
];
