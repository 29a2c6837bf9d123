/**
 * getsockopt(2) and setsockopt(2) at SOL_SOCKET, for sockets of every family.
 * Options without meaning for a family are kept and shown, as Linux does;
 * unknown ones are ENOPROTOOPT. Source: socket(7).
 * @module
 */
import { CAP_NET_ADMIN } from "../abi/capability.ts";
import { EDOM, EINVAL, ENOPROTOOPT, EPERM, type Errno } from "../abi/errno.ts";
import {
  SO_ACCEPTCONN,
  SO_BROADCAST,
  SO_DOMAIN,
  SO_DONTROUTE,
  SO_ERROR,
  SO_KEEPALIVE,
  SO_LINGER,
  SO_OOBINLINE,
  SO_PASSCRED,
  SO_PEERCRED,
  SO_PRIORITY,
  SO_PROTOCOL,
  SO_RCVBUF,
  SO_RCVBUFFORCE,
  SO_RCVLOWAT,
  SO_RCVTIMEO_NEW,
  SO_RCVTIMEO_OLD,
  SO_REUSEADDR,
  SO_REUSEPORT,
  SO_SNDBUF,
  SO_SNDBUFFORCE,
  SO_SNDLOWAT,
  SO_SNDTIMEO_NEW,
  SO_SNDTIMEO_OLD,
  SO_TIMESTAMP_OLD,
  SO_TIMESTAMPNS_OLD,
  SO_TYPE,
} from "../abi/socket.ts";
import type { Caller } from "../vfs/caller.ts";

/** net.core.wmem_max and rmem_max: the most that may be asked for, bytes. */
const BUFFER_MAX = 212992;
const SEND_MIN = 4608;
const RECEIVE_MIN = 2304;
const NSEC_PER_SEC = 1e9;
const NSEC_PER_USEC = 1000;

/** The part of a Socket that options show and change. */
export interface OptionHolder {
  readonly kind: {
    readonly family: number;
    readonly type: number;
    readonly protocol: number;
  };
  readonly options: Map<number, number>;
  receiveTimeoutNs: number;
  sendTimeoutNs: number;
  sendBuffer: number;
  receiveBuffer: number;
  linger: { readonly isOn: boolean; readonly seconds: number };
  passesCredentials: boolean;
  readonly isListening: boolean;
  readonly peerCredentials: {
    readonly pid: number;
    readonly uid: number;
    readonly gid: number;
  } | null;
  takeError(): Errno | null;
  buffersChanged(): void;
}

/** Flags (0 or 1) that are kept and shown. */
const KEPT_FLAGS: ReadonlySet<number> = new Set([
  SO_REUSEADDR,
  SO_BROADCAST,
  SO_KEEPALIVE,
  SO_DONTROUTE,
  SO_OOBINLINE,
]);

/** A 32-bit value as getsockopt(2) stores it. */
export function optionOfInt(value: number): Uint8Array {
  return optionOfInts([value]);
}

function optionOfInts(values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 * values.length);
  const view = new DataView(bytes.buffer);
  for (const [i, value] of values.entries()) view.setInt32(4 * i, value, true);
  return bytes;
}

/** ENOPROTOOPT. */
export function getSocketOption(
  socket: OptionHolder,
  name: number,
): Uint8Array | Errno {
  if (KEPT_FLAGS.has(name)) return optionOfInt(socket.options.get(name) ?? 0);
  switch (name) {
    case SO_TYPE:
      return optionOfInt(socket.kind.type);
    case SO_DOMAIN:
      return optionOfInt(socket.kind.family);
    case SO_PROTOCOL:
      return optionOfInt(socket.kind.protocol);
    case SO_ERROR:
      return optionOfInt(socket.takeError()?.code ?? 0);
    case SO_ACCEPTCONN:
      return optionOfInt(Number(socket.isListening));
    case SO_SNDBUF:
      return optionOfInt(socket.sendBuffer);
    case SO_RCVBUF:
      return optionOfInt(socket.receiveBuffer);
    case SO_PRIORITY:
      return optionOfInt(socket.options.get(name) ?? 0);
    case SO_RCVLOWAT:
      return optionOfInt(socket.options.get(name) ?? 1);
    case SO_SNDLOWAT:
      return optionOfInt(1);
    case SO_REUSEPORT:
    case SO_TIMESTAMP_OLD:
    case SO_TIMESTAMPNS_OLD:
      // Never on: setting them is refused below.
      return optionOfInt(0);
    case SO_LINGER: {
      const { isOn, seconds } = socket.linger;
      return optionOfInts([Number(isOn), seconds]);
    }
    case SO_PASSCRED:
      return optionOfInt(Number(socket.passesCredentials));
    case SO_PEERCRED: {
      const peer = socket.peerCredentials;
      return optionOfInts([peer?.pid ?? 0, peer?.uid ?? -1, peer?.gid ?? -1]);
    }
    case SO_RCVTIMEO_OLD:
    case SO_RCVTIMEO_NEW:
      return timevalOf(socket.receiveTimeoutNs);
    case SO_SNDTIMEO_OLD:
    case SO_SNDTIMEO_NEW:
      return timevalOf(socket.sendTimeoutNs);
    default:
      return ENOPROTOOPT;
  }
}

/** struct timeval; no timeout is 0. */
function timevalOf(ns: number): Uint8Array {
  const bytes = new Uint8Array(16);
  if (ns === Infinity) return bytes;
  const view = new DataView(bytes.buffer);
  const sec = Math.floor(ns / NSEC_PER_SEC);
  const usec = Math.floor((ns - sec * NSEC_PER_SEC) / NSEC_PER_USEC);
  view.setBigInt64(0, BigInt(sec), true);
  view.setBigInt64(8, BigInt(usec), true);
  return bytes;
}

/** ENOPROTOOPT, EINVAL (too short), EDOM, EPERM. */
export function setSocketOption(
  socket: OptionHolder,
  name: number,
  value: Uint8Array,
  caller: Caller,
): Errno | null {
  if (value.length < 4) return EINVAL;
  const view = new DataView(value.buffer, value.byteOffset, value.length);
  const int = view.getInt32(0, true);
  if (KEPT_FLAGS.has(name)) {
    socket.options.set(name, Number(int !== 0));
    return null;
  }
  switch (name) {
    case SO_SNDBUF:
    case SO_SNDBUFFORCE:
      if (name === SO_SNDBUFFORCE && !caller.identity.has(CAP_NET_ADMIN)) {
        return EPERM;
      }
      // Linux doubles what is asked for, for its own overhead.
      socket.sendBuffer = Math.max(SEND_MIN, 2 * clampBuffer(name, int));
      socket.buffersChanged();
      return null;
    case SO_RCVBUF:
    case SO_RCVBUFFORCE:
      if (name === SO_RCVBUFFORCE && !caller.identity.has(CAP_NET_ADMIN)) {
        return EPERM;
      }
      socket.receiveBuffer = Math.max(RECEIVE_MIN, 2 * clampBuffer(name, int));
      socket.buffersChanged();
      return null;
    case SO_PRIORITY:
      if ((int < 0 || int > 6) && !caller.identity.has(CAP_NET_ADMIN)) {
        return EPERM;
      }
      socket.options.set(name, int);
      return null;
    case SO_RCVLOWAT:
      socket.options.set(name, int < 0 ? 0x7fffffff : int === 0 ? 1 : int);
      return null;
    case SO_LINGER:
      if (value.length < 8) return EINVAL;
      socket.linger = { isOn: int !== 0, seconds: view.getInt32(4, true) };
      return null;
    case SO_PASSCRED:
      socket.passesCredentials = int !== 0;
      return null;
    case SO_RCVTIMEO_OLD:
    case SO_RCVTIMEO_NEW:
    case SO_SNDTIMEO_OLD:
    case SO_SNDTIMEO_NEW: {
      const timeout = timeoutOf(view);
      if (typeof timeout !== "number") return timeout;
      if (name === SO_RCVTIMEO_OLD || name === SO_RCVTIMEO_NEW) {
        socket.receiveTimeoutNs = timeout;
      } else socket.sendTimeoutNs = timeout;
      return null;
    }
    default:
      // Those that can only be read included.
      return ENOPROTOOPT;
  }
}

function clampBuffer(name: number, asked: number): number {
  const isForced = name === SO_SNDBUFFORCE || name === SO_RCVBUFFORCE;
  const most = isForced ? 64 << 20 : BUFFER_MAX;
  // A negative size counts as a huge one.
  return asked < 0 ? (isForced ? 0 : most) : Math.min(asked, most);
}

/** struct timeval; 0 means for ever. */
function timeoutOf(view: DataView): number | Errno {
  if (view.byteLength < 16) return EINVAL;
  const sec = Number(view.getBigInt64(0, true));
  const usec = Number(view.getBigInt64(8, true));
  if (usec < 0 || usec >= 1e6) return EDOM;
  if (sec < 0) return 0;
  const ns = sec * NSEC_PER_SEC + usec * NSEC_PER_USEC;
  return ns === 0 || ns > 2 ** 62 ? Infinity : ns;
}
