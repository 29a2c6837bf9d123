/**
 * From config.json to what the Sentry and the file server are told. What this
 * version cannot honour is refused by name; what cannot matter to a kernel of
 * our own (host cgroups, LSM labels, mount propagation) is left out.
 * @module
 */
import { isAbsolute, join, normalize, resolve } from "@std/path";
import {
  MS_NODEV,
  MS_NOEXEC,
  MS_NOSUID,
  MS_RDONLY,
} from "../../kernel/abi/mount.ts";
import type {
  BootDevice,
  BootMount,
  CapabilityLists,
  KernelBootMount,
  ProcessLimit,
  ProcessSpec,
} from "../boot/boot_spec.ts";
import { ExitStatus } from "../exit_status.ts";
import { messageOf, RuntimeError } from "../runtime_error.ts";
import {
  CAPABILITY_NUMBERS,
  RESOURCE_NUMBERS,
} from "../sandbox/process_defaults.ts";
import type { GoferTree, SandboxPlan } from "../sandbox/sandbox_plan.ts";
import { parseMountOptions } from "./mount_options.ts";
import type { OciProcess } from "./process.ts";
import type { OciMount, OciSpec } from "./spec.ts";

const NOBODY_CAN: CapabilityLists = {
  bounding: [],
  effective: [],
  inheritable: [],
  permitted: [],
  ambient: [],
};

function refuse(message: string): never {
  throw new RuntimeError(ExitStatus.BadConfig, `config.json: ${message}`);
}

function capabilitiesOf(process: OciProcess): CapabilityLists {
  const given = process.capabilities;
  if (given === undefined) return NOBODY_CAN;
  const numbers = (set: keyof CapabilityLists) =>
    (given[set] ?? []).map((name, index) =>
      CAPABILITY_NUMBERS.get(name) ??
        refuse(
          `process.capabilities.${set}[${index}]: no such capability: ${
            JSON.stringify(name)
          }`,
        )
    );
  return {
    bounding: numbers("bounding"),
    effective: numbers("effective"),
    inheritable: numbers("inheritable"),
    permitted: numbers("permitted"),
    ambient: numbers("ambient"),
  };
}

function limitsOf(process: OciProcess): ProcessLimit[] {
  const seen = new Set<string>();
  return (process.rlimits ?? []).map((limit, index) => {
    const resource = RESOURCE_NUMBERS.get(limit.type) ??
      refuse(`process.rlimits[${index}].type: no such limit: ${limit.type}`);
    if (seen.has(limit.type)) {
      refuse(`process.rlimits[${index}].type: ${limit.type} is there twice`);
    }
    seen.add(limit.type);
    if (limit.soft > limit.hard) {
      refuse(`process.rlimits[${index}].soft: more than the hard limit`);
    }
    return { resource, soft: limit.soft, hard: limit.hard };
  });
}

/** The process of config.json, or of `exec --process`. */
export function processPlan(process: OciProcess): ProcessSpec {
  if (process.args === undefined) refuse("process.args: it is missing");
  return {
    argv: process.args,
    env: process.env ?? [],
    cwd: process.cwd,
    uid: process.user?.uid ?? 0,
    gid: process.user?.gid ?? 0,
    groups: process.user?.additionalGids ?? [],
    umask: process.user?.umask ?? 0o022,
    capabilities: capabilitiesOf(process),
    limits: limitsOf(process),
    noNewPrivileges: process.noNewPrivileges ?? false,
    hasTerminal: process.terminal ?? false,
  };
}

const KERNEL_TYPES: Readonly<Record<string, KernelBootMount["kind"]>> = {
  proc: "proc",
  tmpfs: "tmpfs",
  sysfs: "sysfs",
  devpts: "devpts",
  mqueue: "mqueue",
};

/** The host file of a bind mount, and a name for its tree. */
function bindMount(
  mount: OciMount,
  index: number,
  bundle: string,
): { boot: BootMount; tree: GoferTree } {
  const where = `mounts[${index}]`;
  if (mount.source === undefined) refuse(`${where}.source: it is missing`);
  const source = resolve(bundle, mount.source);
  try {
    Deno.statSync(source);
  } catch (thrown) {
    throw new RuntimeError(
      ExitStatus.NoInput,
      `config.json: ${where}.source: ${messageOf(thrown)}`,
    );
  }
  const { flags } = parseMountOptions(mount.options ?? []);
  const isReadOnly = (flags & MS_RDONLY) !== 0;
  const name = `mount${index}`;
  return {
    boot: {
      kind: "gofer",
      target: normalize(mount.destination),
      flags,
      name,
      isShared: true,
      hasOverlay: false,
      source,
    },
    tree: { name, source, isReadOnly },
  };
}

function kernelMount(mount: OciMount, index: number): BootMount {
  const type = mount.type ?? "";
  const { flags, data } = parseMountOptions(mount.options ?? []);
  const target = normalize(mount.destination);
  const source = mount.source ?? type;
  if (type === "cgroup" || type === "cgroup2") {
    // No controller of the host reaches into the sandbox: an empty directory
    // is what Linux shows where none is mounted.
    return {
      kind: "tmpfs",
      target,
      flags: flags | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY,
      source,
      options: { mode: "755" },
    };
  }
  const kind = Object.hasOwn(KERNEL_TYPES, type)
    ? KERNEL_TYPES[type]
    : undefined;
  if (kind === undefined) {
    refuse(`mounts[${index}].type: cannot mount "${type}"`);
  }
  // Programs expect the usual nodes in /dev, so the runtime puts them there.
  const isDev = kind === "tmpfs" && target === "/dev";
  return {
    kind: isDev ? "devtmpfs" : kind,
    target,
    flags,
    source,
    options: data,
  };
}

function devicesOf(spec: OciSpec): BootDevice[] {
  return (spec.linux?.devices ?? []).map((device, index) => {
    const type = device.type === "u" ? "c" : device.type;
    if (
      type !== "p" &&
      (device.major === undefined || device.minor === undefined)
    ) {
      refuse(`linux.devices[${index}].major: it is missing`);
    }
    return {
      path: normalize(device.path),
      type,
      major: device.major ?? 0,
      minor: device.minor ?? 0,
      mode: device.fileMode ?? 0o666,
      uid: device.uid ?? 0,
      gid: device.gid ?? 0,
    };
  });
}

/** The root directory of the bundle, checked. */
function rootSource(spec: OciSpec, bundle: string): string {
  if (spec.root === undefined) refuse("root: it is missing");
  const source = isAbsolute(spec.root.path)
    ? normalize(spec.root.path)
    : join(bundle, spec.root.path);
  try {
    if (Deno.statSync(source).isDirectory) return source;
  } catch (thrown) {
    throw new RuntimeError(
      ExitStatus.NoInput,
      `config.json: root.path: ${messageOf(thrown)}`,
    );
  }
  throw new RuntimeError(
    ExitStatus.NoInput,
    `config.json: root.path: ${source} is not a directory`,
  );
}

/**
 * The plan of the container that `spec` describes, in the directory `bundle`
 * (absolute).
 */
export function planFromSpec(
  spec: OciSpec,
  bundle: string,
  id: string,
): SandboxPlan {
  if (spec.process === undefined) refuse("process: it is missing");
  const isReadOnly = spec.root?.readonly ?? false;
  const root = rootSource(spec, bundle);
  const mounts: BootMount[] = [{
    kind: "gofer",
    target: "/",
    flags: isReadOnly ? MS_RDONLY : 0,
    name: "root",
    isShared: false,
    // Changes stay in memory. A read-only root has mountpoints made in it, too.
    hasOverlay: true,
    source: root,
  }];
  const trees: GoferTree[] = [
    { name: "root", source: root, isReadOnly: true },
  ];
  for (const [index, mount] of (spec.mounts ?? []).entries()) {
    const isBind = mount.type === "bind" ||
      parseMountOptions(mount.options ?? []).isBind;
    if (isBind) {
      const bound = bindMount(mount, index, bundle);
      mounts.push(bound.boot);
      trees.push(bound.tree);
    } else {
      mounts.push(kernelMount(mount, index));
    }
  }
  for (const target of spec.linux?.maskedPaths ?? []) {
    mounts.push({ kind: "masked", target });
  }
  for (const target of spec.linux?.readonlyPaths ?? []) {
    mounts.push({ kind: "readonly", target });
  }
  return {
    id,
    hostname: spec.hostname ?? "localhost",
    domainname: spec.domainname ?? "",
    mounts,
    devices: devicesOf(spec),
    trees,
    process: processPlan(spec.process),
    isInitProtected: true,
  };
}
