/**
 * /proc/sys/fs. Source: proc_sys_fs(5).
 * @module
 */
import { NR_OPEN } from "../../../task/fd_table.ts";
import { directory } from "../../kernfs/entries.ts";
import type { Entry } from "../../kernfs/entry_table.ts";
import { MAX_EVENTS, MAX_WATCHES } from "../../inotify.ts";
import { PIPE_MAX_SIZE } from "../../pipe.ts";
import type { ProcRoot } from "../proc_root.ts";
import { constant } from "./setting.ts";

/** Open files are limited per process only. */
const FILE_MAX = "9223372036854775807";

function openFileCount(root: ProcRoot): number {
  let count = 0;
  for (const _file of root.openFiles()) count++;
  return count;
}

export const FS: Entry<ProcRoot> = directory("fs", 0o555, [
  constant("dir-notify-enable", 1),
  constant("file-max", FILE_MAX),
  constant("file-nr", (root) => `${openFileCount(root)}\t0\t${FILE_MAX}`),
  directory("inotify", 0o555, [
    constant("max_queued_events", MAX_EVENTS),
    // Instances are limited by descriptors only.
    constant("max_user_instances", 2 ** 31 - 1),
    constant("max_user_watches", MAX_WATCHES),
  ]),
  constant("nr_open", NR_OPEN),
  constant("overflowgid", 65534),
  constant("overflowuid", 65534),
  constant("pipe-max-size", PIPE_MAX_SIZE),
  constant("pipe-user-pages-hard", 0),
  constant("pipe-user-pages-soft", 0),
  // Links and files in sticky directories are not protected beyond POSIX.
  constant("protected_fifos", 0),
  constant("protected_hardlinks", 0),
  constant("protected_regular", 0),
  constant("protected_symlinks", 0),
  constant("suid_dumpable", 0),
]);
