/**
 * Who runs us, and which user namespaces the sandbox's processes get for it.
 * @module
 */
import type { IdRange, SpawnOptions } from "../../ffi/spawn.ts";
import { ExitStatus } from "../exit_status.ts";
import { RuntimeError } from "../runtime_error.ts";

/** The user that a locked-down process of root's becomes: nobody. */
const NOBODY = 65534;

export interface HostUser {
  readonly uid: number;
  readonly gid: number;
  /** Without the host's privileges: everything happens in user namespaces
   * that know one id. */
  readonly isRootless: boolean;
}

/** The caller. `rootless`: the value of --rootless, if given. */
export function hostUser(rootless: string | undefined): HostUser {
  const uid = Deno.uid();
  const gid = Deno.gid();
  if (uid === null || gid === null) throw new Error("No user ids on this host");
  if (rootless === "false" && uid !== 0) {
    throw new RuntimeError(
      ExitStatus.NoPermission,
      "--rootless=false needs root",
    );
  }
  return { uid, gid, isRootless: rootless === "true" || uid !== 0 };
}

type UserNamespace = Pick<
  SpawnOptions,
  "uidMap" | "gidMap" | "denySetgroups"
>;

function one(inside: number, outside: number): IdRange {
  return { inside, outside, count: 1 };
}

/** The user namespace of the Sentry: its own user, and for root one to change
 * to that owns nothing. */
export function sentryUserNamespace(user: HostUser): UserNamespace {
  if (user.isRootless) return loneUserNamespace(user);
  return {
    uidMap: [one(0, user.uid), one(NOBODY, NOBODY)],
    gidMap: [one(0, user.gid), one(NOBODY, NOBODY)],
  };
}

/** The ids that the locked Sentry has in that namespace. */
export function confinedIds(user: HostUser): { uid: number; gid: number } {
  return user.isRootless ? { uid: 0, gid: 0 } : { uid: NOBODY, gid: NOBODY };
}

/** A namespace where an ordinary user is root and there is nobody else. */
export function loneUserNamespace(user: HostUser): UserNamespace {
  return {
    uidMap: [one(0, user.uid)],
    gidMap: [one(0, user.gid)],
    ...(user.uid === 0 ? {} : { denySetgroups: true }),
  };
}
