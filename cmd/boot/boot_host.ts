/**
 * The real Host: every capability that the kernel gets, over ffi and the
 * platform plugin. Made before lock-down; used after it.
 * @module
 */
import { Clock } from "../../ffi/clock.ts";
import { type DescriptorMaker, Files } from "../../ffi/files.ts";
import type { GoferChannels } from "../../ffi/gofer_channel.ts";
import { nativePath } from "../../ffi/library.ts";
import { MemoryFile } from "../../ffi/memory_file.ts";
import { Reactor } from "../../ffi/reactor.ts";
import type { GoferClient } from "../../gofer/client.ts";
import { RemoteGofer } from "../../gofer/remote_gofer.ts";
import { channelTransport } from "../../gofer/transport.ts";
import { errnoFromCode } from "../../kernel/abi/errno.ts";
import { O_RDONLY } from "../../kernel/abi/fcntl.ts";
import type { Host, HostFd } from "../../kernel/host.ts";
import type { NativePlatform } from "../../platforms/native.ts";
import { openPtrace } from "../../platforms/ptrace/ptrace.ts";
import { ExitStatus } from "../exit_status.ts";
import { BootError } from "./boot_error.ts";
import type { BootSpec } from "./boot_spec.ts";
import { readHostInfo } from "./host_info.ts";
import { DescriptorLog } from "./host_log.ts";
import type { Timeline } from "./timeline.ts";

/** Guest threads at one time. */
const MAX_THREADS = 4096;

/** Looking for a gofer's reply pays only where it can run meanwhile. */
const GOFER_SPIN_US = navigator.hardwareConcurrency > 1 ? 20 : 0;

/** A Host, and what of it must be closed or watched by boot itself. */
export interface BootHost {
  readonly host: Host;
  readonly platform: NativePlatform;
  readonly reactor: Reactor;
  readonly gofer: RemoteGofer;
}

function openPlatform(
  memory: MemoryFile,
  descriptors: DescriptorMaker,
): NativePlatform {
  const stubFd = descriptors.open(nativePath("ptrace_stub"), O_RDONLY);
  const platform = openPtrace({
    libraryPath: nativePath("libptrace.so"),
    memoryFd: memory.fd,
    stubFd,
    maxContexts: MAX_THREADS,
  });
  descriptors.close(stubFd);
  if (typeof platform !== "number") return platform;
  throw new BootError(
    ExitStatus.Unavailable,
    `this host cannot run the ptrace platform: ${
      errnoFromCode(platform).name
    } (is ptrace forbidden here?)`,
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
  const memory = timeline.step("memory file", () => new MemoryFile());
  const platform = timeline.step(
    "platform",
    () => openPlatform(memory, descriptors),
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
    return { host, platform, reactor, gofer };
  });
}
