/**
 * The `process` object of config.json (OCI runtime specification 1.2,
 * config.md#process), which `exec --process` reads, too.
 * @module
 */
import * as z from "zod/mini";
import {
  absolutePath,
  int32,
  int64,
  strings,
  text,
  uint16,
  uint32,
  uint64,
} from "./scalars.ts";

export const ociUser = z.object({
  uid: z.optional(uint32),
  gid: z.optional(uint32),
  umask: z.optional(z.int().check(z.gte(0), z.lte(0o777))),
  additionalGids: z.optional(z.array(uint32)),
  username: z.optional(text),
});

const rlimit = z.object({
  type: z.string().check(z.regex(/^RLIMIT_[A-Z]+$/)),
  hard: uint64,
  soft: uint64,
});

const capabilityNames = z.array(z.string());
const capabilities = z.object({
  bounding: z.optional(capabilityNames),
  effective: z.optional(capabilityNames),
  inheritable: z.optional(capabilityNames),
  permitted: z.optional(capabilityNames),
  ambient: z.optional(capabilityNames),
});

const scheduler = z.object({
  policy: z.enum([
    "SCHED_OTHER",
    "SCHED_FIFO",
    "SCHED_RR",
    "SCHED_BATCH",
    "SCHED_ISO",
    "SCHED_IDLE",
    "SCHED_DEADLINE",
  ]),
  nice: z.optional(int32),
  priority: z.optional(int32),
  flags: z.optional(strings),
  runtime: z.optional(uint64),
  deadline: z.optional(uint64),
  period: z.optional(uint64),
});

const ioPriority = z.object({
  class: z.enum(["IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE", "IOPRIO_CLASS_IDLE"]),
  priority: z.optional(int32),
});

export const ociProcess = z.object({
  terminal: z.optional(z.boolean()),
  consoleSize: z.optional(z.object({ height: uint16, width: uint16 })),
  cwd: absolutePath,
  env: z.optional(strings),
  args: z.optional(strings.check(z.minLength(1))),
  commandLine: z.optional(z.string()),
  rlimits: z.optional(z.array(rlimit)),
  apparmorProfile: z.optional(z.string()),
  selinuxLabel: z.optional(z.string()),
  capabilities: z.optional(capabilities),
  noNewPrivileges: z.optional(z.boolean()),
  oomScoreAdj: z.optional(int64),
  scheduler: z.optional(scheduler),
  ioPriority: z.optional(ioPriority),
  execCPUAffinity: z.optional(
    z.object({ initial: z.optional(text), final: z.optional(text) }),
  ),
  user: z.optional(ociUser),
});
export type OciProcess = z.infer<typeof ociProcess>;
