/**
 * /proc/sys/kernel. Source: proc_sys_kernel(5), random(4).
 * @module
 */
import { CAP_LAST_CAP } from "../../../abi/capability.ts";
import type { Errno } from "../../../abi/errno.ts";
import { NGROUPS_MAX } from "../../../abi/limits.ts";
import { __NEW_UTS_LEN } from "../../../abi/utsname.ts";
import { LINUX_RELEASE, LINUX_VERSION } from "../../../task/linux_release.ts";
import { PID_MAX } from "../../../task/pid_namespace.ts";
import type { ByteString } from "../../../mm/user_memory.ts";
import type { UtsNamespace } from "../../../task/uts_namespace.ts";
import type { Caller } from "../../../vfs/caller.ts";
import { directory } from "../../kernfs/entries.ts";
import type { Entry } from "../../kernfs/entry_table.ts";
import type { ProcRoot } from "../proc_root.ts";
import { randomUuid } from "../system_facts.ts";
import { constant, variable } from "./setting.ts";

/** overflowuid, overflowgid: who has no number here. */
const OVERFLOW_ID = 65534;
/** Bits of the generator's pool. */
const POOL_BITS = 256;

/** A name of the caller's UTS namespace. */
function utsName(key: "hostname" | "domainname"): Entry<ProcRoot> {
  const namespaceOf = (root: ProcRoot, caller: Caller): UtsNamespace | null =>
    root.callerTask(caller)?.uts ?? null;
  return variable(
    key,
    (root, caller) => namespaceOf(root, caller)?.[key] ?? "(none)",
    (root: ProcRoot, text: ByteString, caller: Caller): Errno | null => {
      const uts = namespaceOf(root, caller);
      const end = text.search(/[\0\n]/);
      const name = end < 0 ? text : text.slice(0, end);
      if (uts !== null) uts[key] = name.slice(0, __NEW_UTS_LEN);
      return null;
    },
  );
}

export const KERNEL: Entry<ProcRoot> = directory("kernel", 0o555, [
  constant("arch", "x86_64"),
  constant("cap_last_cap", CAP_LAST_CAP),
  utsName("domainname"),
  utsName("hostname"),
  constant("ngroups_max", NGROUPS_MAX),
  constant("osrelease", LINUX_RELEASE),
  constant("ostype", "Linux"),
  constant("overflowgid", OVERFLOW_ID),
  constant("overflowuid", OVERFLOW_ID),
  constant("pid_max", PID_MAX),
  directory("random", 0o555, [
    constant("boot_id", ({ facts }) => facts.bootId),
    constant("entropy_avail", POOL_BITS),
    constant("poolsize", POOL_BITS),
    constant("uuid", ({ kernel }) => randomUuid(kernel.host)),
  ]),
  constant("randomize_va_space", 2),
  constant("tainted", 0),
  constant("threads-max", PID_MAX),
  constant("version", LINUX_VERSION),
]);
