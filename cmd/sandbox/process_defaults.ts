/**
 * Capabilities and limits by name, and those of a process that asks for none.
 * @module
 */
import { CAPABILITY_NAMES } from "../../kernel/abi/capability.ts";
import {
  RLIMIT_AS,
  RLIMIT_CORE,
  RLIMIT_CPU,
  RLIMIT_DATA,
  RLIMIT_FSIZE,
  RLIMIT_LOCKS,
  RLIMIT_MEMLOCK,
  RLIMIT_MSGQUEUE,
  RLIMIT_NICE,
  RLIMIT_NOFILE,
  RLIMIT_NPROC,
  RLIMIT_RSS,
  RLIMIT_RTPRIO,
  RLIMIT_RTTIME,
  RLIMIT_SIGPENDING,
  RLIMIT_STACK,
} from "../../kernel/abi/resource.ts";
import type { CapabilityLists } from "../boot/boot_spec.ts";

/** Capability numbers by name ("CAP_CHOWN"). */
export const CAPABILITY_NUMBERS: ReadonlyMap<string, number> = new Map(
  CAPABILITY_NAMES.map((name, number) => [name, number]),
);

/** Resource numbers by the name that config.json uses. */
export const RESOURCE_NUMBERS: ReadonlyMap<string, number> = new Map(
  Object.entries({
    RLIMIT_AS,
    RLIMIT_CORE,
    RLIMIT_CPU,
    RLIMIT_DATA,
    RLIMIT_FSIZE,
    RLIMIT_LOCKS,
    RLIMIT_MEMLOCK,
    RLIMIT_MSGQUEUE,
    RLIMIT_NICE,
    RLIMIT_NOFILE,
    RLIMIT_NPROC,
    RLIMIT_RSS,
    RLIMIT_RTPRIO,
    RLIMIT_RTTIME,
    RLIMIT_SIGPENDING,
    RLIMIT_STACK,
  }),
);

const ALL = [...CAPABILITY_NUMBERS.values()];

/** A superuser inside the sandbox: everything, nothing handed on by files. */
export const ALL_CAPABILITIES: CapabilityLists = {
  bounding: ALL,
  effective: ALL,
  inheritable: [],
  permitted: ALL,
  ambient: [],
};

/** An ordinary user. */
export const USER_CAPABILITIES: CapabilityLists = {
  ...ALL_CAPABILITIES,
  effective: [],
  permitted: [],
};
