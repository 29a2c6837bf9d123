/**
 * The `linux.resources` object of config.json (OCI runtime specification 1.2,
 * config-linux.md#control-groups); `update --resources` reads the same.
 * @module
 */
import * as z from "zod/mini";
import {
  int64,
  stringMap,
  strings,
  text,
  uint16,
  uint32,
  uint64,
} from "./scalars.ts";

const deviceRule = z.object({
  allow: z.boolean(),
  type: z.optional(z.string()),
  major: z.optional(int64),
  minor: z.optional(int64),
  access: z.optional(z.string().check(z.regex(/^[rwm]*$/))),
});

const memory = z.object({
  limit: z.optional(int64),
  reservation: z.optional(int64),
  swap: z.optional(int64),
  kernel: z.optional(int64),
  kernelTCP: z.optional(int64),
  swappiness: z.optional(uint64),
  disableOOMKiller: z.optional(z.boolean()),
  useHierarchy: z.optional(z.boolean()),
  checkBeforeUpdate: z.optional(z.boolean()),
});

const cpu = z.object({
  shares: z.optional(uint64),
  quota: z.optional(int64),
  burst: z.optional(uint64),
  period: z.optional(uint64),
  realtimeRuntime: z.optional(int64),
  realtimePeriod: z.optional(uint64),
  cpus: z.optional(text),
  mems: z.optional(text),
  idle: z.optional(int64),
});

const throttle = z.array(
  z.object({ major: int64, minor: int64, rate: uint64 }),
);
const blockIo = z.object({
  weight: z.optional(uint16),
  leafWeight: z.optional(uint16),
  weightDevice: z.optional(z.array(z.object({
    major: int64,
    minor: int64,
    weight: z.optional(uint16),
    leafWeight: z.optional(uint16),
  }))),
  throttleReadBpsDevice: z.optional(throttle),
  throttleWriteBpsDevice: z.optional(throttle),
  throttleReadIOPSDevice: z.optional(throttle),
  throttleWriteIOPSDevice: z.optional(throttle),
});

export const ociResources = z.object({
  devices: z.optional(z.array(deviceRule)),
  memory: z.optional(memory),
  cpu: z.optional(cpu),
  pids: z.optional(z.object({ limit: z.optional(int64) })),
  blockIO: z.optional(blockIo),
  hugepageLimits: z.optional(
    z.array(z.object({ pageSize: text, limit: uint64 })),
  ),
  network: z.optional(z.object({
    classID: z.optional(uint32),
    priorities: z.optional(
      z.array(z.object({ name: text, priority: uint32 })),
    ),
  })),
  rdma: z.optional(z.record(
    z.string(),
    z.object({
      hcaHandles: z.optional(uint32),
      hcaObjects: z.optional(uint32),
    }),
  )),
  unified: z.optional(stringMap),
});
export type OciResources = z.infer<typeof ociResources>;

/** `linux.intelRdt`. */
export const intelRdt = z.object({
  closID: z.optional(text),
  l3CacheSchema: z.optional(text),
  memBwSchema: z.optional(text),
  schemata: z.optional(strings),
  enableCMT: z.optional(z.boolean()),
  enableMBM: z.optional(z.boolean()),
});
