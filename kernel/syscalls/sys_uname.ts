/**
 * uname(2), sethostname(2), setdomainname(2), personality(2), getcpu(2),
 * getrandom(2), rseq(2), syslog(2).
 * @module
 */
import { EAGAIN, EFAULT, EINVAL, ENOSYS, EPERM } from "../abi/errno.ts";
import { CAP_SYS_ADMIN, CAP_SYSLOG } from "../abi/capability.ts";
import {
  ADDR_NO_RANDOMIZE,
  PER_LINUX,
  PERSONALITY_QUERY,
} from "../abi/personality.ts";
import { GRND_INSECURE, GRND_NONBLOCK, GRND_RANDOM } from "../abi/random.ts";
import {
  __NEW_UTS_LEN,
  NEW_UTSNAME,
  NEW_UTSNAME_SIZE,
} from "../abi/utsname.ts";
import { LINUX_RELEASE, LINUX_VERSION } from "../task/linux_release.ts";
import type { Task } from "../task/task.ts";
import { defineSyscall, type SysResult, unimplemented } from "./syscall.ts";

export const uname = defineSyscall({
  name: "uname",
  support: "full",
  args: { buf: "addr" },
  run: (task, { buf }) => {
    const bytes = new Uint8Array(NEW_UTSNAME_SIZE);
    const put = (at: number, text: string) => {
      for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i);
    };
    put(NEW_UTSNAME.sysname, "Linux");
    put(NEW_UTSNAME.nodename, task.uts.hostname);
    put(NEW_UTSNAME.release, LINUX_RELEASE);
    put(NEW_UTSNAME.version, LINUX_VERSION);
    put(NEW_UTSNAME.machine, "x86_64");
    put(NEW_UTSNAME.domainname, task.uts.domainname);
    return task.memory.writeBytes(buf, bytes) ?? 0;
  },
});

function readName(
  task: Task,
  addr: number,
  length: number,
): string | SysResult {
  if (!task.credentials.has(CAP_SYS_ADMIN)) return EPERM;
  if (length < 0 || length > __NEW_UTS_LEN) return EINVAL;
  const bytes = new Uint8Array(length);
  const fault = task.memory.readBytes(addr, bytes);
  if (fault !== null) return fault;
  const text = String.fromCharCode(...bytes);
  const end = text.indexOf("\0");
  return end < 0 ? text : text.slice(0, end);
}

export const sethostname = defineSyscall({
  name: "sethostname",
  support: "full",
  args: { name: "addr", len: "int" },
  run: (task, { name, len }) => {
    const text = readName(task, name, len);
    if (typeof text !== "string") return text;
    task.uts.hostname = text;
    return 0;
  },
});

export const setdomainname = defineSyscall({
  name: "setdomainname",
  support: "full",
  args: { name: "addr", len: "int" },
  run: (task, { name, len }) => {
    const text = readName(task, name, len);
    if (typeof text !== "string") return text;
    task.uts.domainname = text;
    return 0;
  },
});

/** What a process can ask for; the rest is there for other systems' programs. */
const PERSONALITY_FLAGS = ADDR_NO_RANDOMIZE;

export const personality = defineSyscall({
  name: "personality",
  support: { partial: "only PER_LINUX, with ADDR_NO_RANDOMIZE, can be set" },
  args: { persona: "uint" },
  run: (task, { persona }) => {
    const old = task.personality;
    if (persona === PERSONALITY_QUERY) return old;
    if ((persona & ~PERSONALITY_FLAGS) !== PER_LINUX) {
      unimplemented(task, `personality ${persona.toString(16)}`);
      return EINVAL;
    }
    task.personality = persona;
    return old;
  },
});

export const getcpu = defineSyscall({
  name: "getcpu",
  support: { partial: "every task is on CPU 0 of node 0" },
  args: { cpu: "addr", node: "addr", tcache: "addr" },
  run: (task, { cpu, node }) => {
    for (const addr of [cpu, node]) {
      if (addr === 0) continue;
      const fault = task.memory.writeU32(addr, 0);
      if (fault !== null) return fault;
    }
    return 0;
  },
});

/** getrandom(2) gives no more at a time (INT_MAX, in whole chunks). */
const MAX_RANDOM = 0x1ffffff;
const RANDOM_CHUNK = 4096;

export const getrandom = defineSyscall({
  name: "getrandom",
  support: "full",
  args: { buf: "buf", buflen: "size", flags: "flags" },
  run: (task, { buf, buflen, flags }) => {
    if ((flags & ~(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE)) !== 0) {
      return EINVAL;
    }
    const both = GRND_RANDOM | GRND_INSECURE;
    if ((flags & both) === both) return EINVAL;
    const total = Math.min(buflen, MAX_RANDOM);
    const chunk = new Uint8Array(Math.min(total, RANDOM_CHUNK));
    let done = 0;
    while (done < total) {
      const part = chunk.subarray(0, Math.min(chunk.length, total - done));
      task.kernel.host.randomBytes(part);
      if (task.memory.writeBytes(buf + done, part) !== null) {
        return done > 0 ? done : EFAULT;
      }
      done += part.length;
    }
    return done;
  },
});

export const rseq = defineSyscall({
  name: "rseq",
  support: { partial: "ENOSYS: as a kernel without CONFIG_RSEQ" },
  args: { rseq: "addr", rseq_len: "uint", flags: "int", sig: "uint" },
  run: (task) => {
    unimplemented(task, "rseq");
    return ENOSYS;
  },
});

export const syslog = defineSyscall({
  name: "syslog",
  support: { partial: "the log is empty" },
  args: { type: "int", bufp: "addr", len: "int" },
  run: (task, { type, bufp, len }) => {
    if (type < 0 || type > 10) return EINVAL;
    if (
      !task.credentials.has(CAP_SYSLOG) && !task.credentials.has(CAP_SYS_ADMIN)
    ) {
      return EPERM;
    }
    // Reads and clears take a buffer, the console levels a number.
    const reads = type === 2 || type === 3 || type === 4;
    if (!reads) return 0;
    if (bufp === 0 || len < 0) return EINVAL;
    return type === 2 && len > 0 ? EAGAIN : 0;
  },
});

export const vhangup = defineSyscall({
  name: "vhangup",
  support: { partial: "EPERM: no task may hang up a virtual console" },
  args: {},
  run: () => EPERM,
});

export const reboot = defineSyscall({
  name: "reboot",
  support: { partial: "EPERM: as in a container without CAP_SYS_BOOT" },
  args: { magic: "int", magic2: "int", op: "int", arg: "addr" },
  run: () => EPERM,
});
