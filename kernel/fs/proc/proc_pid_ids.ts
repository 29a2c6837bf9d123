/**
 * Files about user namespaces, of which there is one: /proc/PID/uid_map,
 * gid_map, projid_map, setgroups. Source: user_namespaces(7).
 * @module
 */
import { EINVAL, EPERM } from "../../abi/errno.ts";
import { file } from "../kernfs/entries.ts";
import type { Entry } from "../kernfs/entry_table.ts";
import type { ProcessRef } from "./process_ref.ts";

/** Every id but -1 is itself. */
const IDENTITY = `${"0".padStart(10)} ${"0".padStart(10)} 4294967295\n`;

/** A map that is set can't be set again. */
const idMap = (name: string): Entry<ProcessRef> =>
  file(name, 0o644, { read: () => IDENTITY, unwritable: EPERM });

export const ID_MAPS: readonly Entry<ProcessRef>[] = [
  idMap("uid_map"),
  idMap("gid_map"),
  idMap("projid_map"),
  file("setgroups", 0o644, {
    read: () => "allow\n",
    write(_ref, text) {
      const word = text.trimEnd();
      if (word === "allow") return null;
      return word === "deny" ? EPERM : EINVAL;
    },
  }),
];
