/**
 * The `linux` object of config.json (OCI runtime specification 1.2,
 * config-linux.md).
 * @module
 */
import * as z from "zod/mini";
import { intelRdt, ociResources } from "./resources.ts";
import {
  absolutePath,
  fileMode,
  int64,
  stringMap,
  strings,
  text,
  uint32,
} from "./scalars.ts";

export const idMapping = z.object({
  containerID: uint32,
  hostID: uint32,
  size: uint32,
});

const namespace = z.object({
  type: z.enum([
    "pid",
    "network",
    "mount",
    "ipc",
    "uts",
    "user",
    "cgroup",
    "time",
  ]),
  path: z.optional(absolutePath),
});

const device = z.object({
  type: z.enum(["c", "b", "u", "p"]),
  path: absolutePath,
  major: z.optional(int64),
  minor: z.optional(int64),
  fileMode: z.optional(fileMode),
  uid: z.optional(uint32),
  gid: z.optional(uint32),
});

const seccompAction = z.enum([
  "SCMP_ACT_KILL",
  "SCMP_ACT_KILL_PROCESS",
  "SCMP_ACT_KILL_THREAD",
  "SCMP_ACT_TRAP",
  "SCMP_ACT_ERRNO",
  "SCMP_ACT_TRACE",
  "SCMP_ACT_ALLOW",
  "SCMP_ACT_LOG",
  "SCMP_ACT_NOTIFY",
]);
const seccompArgument = z.object({
  index: z.int().check(z.gte(0), z.lte(5)),
  value: z.number(),
  valueTwo: z.optional(z.number()),
  op: z.enum([
    "SCMP_CMP_NE",
    "SCMP_CMP_LT",
    "SCMP_CMP_LE",
    "SCMP_CMP_EQ",
    "SCMP_CMP_GE",
    "SCMP_CMP_GT",
    "SCMP_CMP_MASKED_EQ",
  ]),
});
const seccomp = z.object({
  defaultAction: seccompAction,
  defaultErrnoRet: z.optional(uint32),
  flags: z.optional(strings),
  listenerPath: z.optional(text),
  listenerMetadata: z.optional(z.string()),
  architectures: z.optional(strings),
  syscalls: z.optional(z.array(z.object({
    names: z.array(text).check(z.minLength(1)),
    action: seccompAction,
    errnoRet: z.optional(uint32),
    args: z.optional(z.array(seccompArgument)),
  }))),
});
export type OciSeccomp = z.infer<typeof seccomp>;

export const ociLinux = z.object({
  devices: z.optional(z.array(device)),
  uidMappings: z.optional(z.array(idMapping)),
  gidMappings: z.optional(z.array(idMapping)),
  namespaces: z.optional(z.array(namespace)),
  timeOffsets: z.optional(z.record(
    z.string(),
    z.object({ secs: z.optional(int64), nanosecs: z.optional(uint32) }),
  )),
  cgroupsPath: z.optional(text),
  resources: z.optional(ociResources),
  rootfsPropagation: z.optional(
    z.enum(["", "private", "shared", "slave", "unbindable"]),
  ),
  seccomp: z.optional(seccomp),
  sysctl: z.optional(stringMap),
  maskedPaths: z.optional(strings),
  readonlyPaths: z.optional(strings),
  mountLabel: z.optional(z.string()),
  intelRdt: z.optional(intelRdt),
  personality: z.optional(z.object({
    domain: z.enum(["LINUX", "LINUX32"]),
    flags: z.optional(strings),
  })),
});
