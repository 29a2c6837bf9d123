/**
 * The real Host: every capability that the kernel gets, over ffi and the
 * platform plugin. Made before lock-down; used after it.
 * @module
 */
import { Clock } from "../../ffi/clock.ts";
import { type DescriptorMaker, Files } from "../../ffi/files.ts";
import type { GoferChannels } from "../../ffi/gofer_channel.ts";
import { DEFAULT_WINDOW, MemoryFile } from "../../ffi/memory_file.ts";
import { Reactor } from "../../ffi/reactor.ts";
import type { GoferClient } from "../../gofer/client.ts";
import { RemoteGofer } from "../../gofer/remote_gofer.ts";
import { channelTransport } from "../../gofer/transport.ts";
import { errnoFromCode } from "../../kernel/abi/errno.ts";
import type { Host, HostFd } from "../../kernel/host.ts";
import type { NativePlatform } from "../../platforms/native.ts";
import { ExitStatus } from "../exit_status.ts";
import { BootError } from "./boot_error.ts";
import type { BootSpec } from "./boot_spec.ts";
import { readHostInfo } from "./host_info.ts";
import { DescriptorLog } from "./host_log.ts";
import {
  openPlatform,
  PLATFORM_NAMES,
  type PlatformChoice,
  type PlatformName,
} from "./platform_kinds.ts";
import type { Timeline } from "./timeline.ts";

/** Guest threads at one time. */
const MAX_THREADS = 4096;

/** Looking for a gofer's reply pays only where it can run meanwhile. */
const GOFER_SPIN_US = navigator.hardwareConcurrency > 1 ? 20 : 0;

/** A Host, and what of it must be closed or watched by boot itself. */
export interface BootHost {
  readonly host: Host;
  readonly platform: NativePlatform;
  readonly platformName: PlatformName;
  readonly reactor: Reactor;
  readonly gofer: RemoteGofer;
}

/** Starts the platform asked for, or the first that starts. */
function choosePlatform(
  choice: PlatformChoice,
  memory: MemoryFile,
  descriptors: DescriptorMaker,
): { platform: NativePlatform; platformName: PlatformName } {
  const refusals: string[] = [];
  for (const name of choice === "auto" ? PLATFORM_NAMES : [choice]) {
    const platform = openPlatform(name, memory.fd, descriptors, MAX_THREADS);
    if (typeof platform !== "number") return { platform, platformName: name };
    refusals.push(`${name}: ${errnoFromCode(platform).name}`);
  }
  throw new BootError(
    ExitStatus.Unavailable,
    `this host cannot run guest code (${refusals.join(", ")}); ` +
      "runsc help platforms says why",
  );
}

/** Builds everything, a step of the timeline for each part. */
export function buildHost(
  spec: BootSpec,
  descriptors: DescriptorMaker,
  channels: GoferChannels,
  timeline: Timeline,
): BootHost {
  const clock = new Clock();
  const firstSample = clock.sampleTsc();
  const memory = timeline.step(
    "memory file",
    () => new MemoryFile(DEFAULT_WINDOW, true),
  );
  const { platform, platformName } = timeline.step(
    "platform",
    () => choosePlatform(spec.platform, memory, descriptors),
  );
  const reactor = timeline.step(
    "reactor",
    () => new Reactor(platform.doorbell),
  );
  return timeline.step("host", () => {
    const files = new Files(memory);
    const gofer = new RemoteGofer(
      channelTransport(channels, spec.fds.gofer, {
        spinUs: GOFER_SPIN_US,
        closeFd: (fd) => files.close(fd as HostFd),
      }),
    );
    const names = spec.mounts.flatMap((mount) =>
      mount.kind === "gofer" ? [mount.name] : []
    );
    const gofers: ReadonlyMap<string, GoferClient> = new Map(
      names.map((name) => [name, gofer]),
    );
    const host: Host = {
      platform,
      memory,
      clock,
      files,
      reactor,
      gofers,
      log: new DescriptorLog(descriptors, spec.fds.log, spec),
      info: readHostInfo(clock, firstSample),
      randomBytes: (into) => clock.randomBytes(into),
    };
    return { host, platform, platformName, reactor, gofer };
  });
}
