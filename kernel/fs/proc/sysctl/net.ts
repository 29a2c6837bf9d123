/**
 * /proc/sys/net. Source: socket(7), unix(7), ip(7).
 * @module
 */
import { SOMAXCONN } from "../../../abi/socket.ts";
import { directory } from "../../kernfs/entries.ts";
import type { Entry } from "../../kernfs/entry_table.ts";
import type { ProcRoot } from "../proc_root.ts";
import { constant } from "./setting.ts";

export const NET_SETTINGS: Entry<ProcRoot> = directory("net", 0o555, [
  directory("core", 0o555, [
    constant("somaxconn", SOMAXCONN),
  ]),
]);
