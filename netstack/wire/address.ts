/**
 * IP and hardware addresses: arrays of four, sixteen or six bytes that nobody
 * changes. Source: RFC 4291 and RFC 5952 for IPv6, RFC 6890 for the ranges.
 * @module
 */

/** Four bytes: IPv4; sixteen: IPv6. Never written to once made. */
export type IpAddress = Uint8Array;
/** Six bytes. */
export type MacAddress = Uint8Array;

export const IPV4_ANY: IpAddress = new Uint8Array(4);
export const IPV4_BROADCAST: IpAddress = Uint8Array.of(255, 255, 255, 255);
export const IPV4_LOOPBACK: IpAddress = Uint8Array.of(127, 0, 0, 1);
export const IPV4_ALL_SYSTEMS: IpAddress = Uint8Array.of(224, 0, 0, 1);
export const IPV4_ALL_ROUTERS: IpAddress = Uint8Array.of(224, 0, 0, 2);
/** Where IGMPv3 reports go. */
export const IPV4_IGMPV3_ROUTERS: IpAddress = Uint8Array.of(224, 0, 0, 22);
export const IPV6_ANY: IpAddress = new Uint8Array(16);
export const IPV6_LOOPBACK: IpAddress = ipv6(0, 0, 0, 0, 0, 0, 0, 1);
export const IPV6_ALL_NODES: IpAddress = ipv6(0xff02, 0, 0, 0, 0, 0, 0, 1);
export const IPV6_ALL_ROUTERS: IpAddress = ipv6(0xff02, 0, 0, 0, 0, 0, 0, 2);
/** Where MLDv2 reports go. */
export const IPV6_MLDV2_ROUTERS: IpAddress = ipv6(0xff02, 0, 0, 0, 0, 0, 0, 22);
export const MAC_BROADCAST: MacAddress = new Uint8Array(6).fill(255);
export const MAC_NONE: MacAddress = new Uint8Array(6);

/** An address from its eight groups. */
export function ipv6(...groups: readonly number[]): IpAddress {
  const bytes = new Uint8Array(16);
  for (let i = 0; i < 8; i++) {
    bytes[2 * i] = groups[i]! >> 8;
    bytes[2 * i + 1] = groups[i]! & 255;
  }
  return bytes;
}

export function sameAddress(a: Uint8Array, b: Uint8Array): boolean {
  if (a === b) return true;
  const length = a.length;
  if (length !== b.length) return false;
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return false;
  return true;
}

export function isUnspecified(address: Uint8Array): boolean {
  for (let i = 0; i < address.length; i++) if (address[i] !== 0) return false;
  return true;
}

export function isMulticast(address: IpAddress): boolean {
  return address.length === 4
    ? (address[0]! & 0xf0) === 0xe0
    : address[0] === 0xff;
}

export function isLoopback(address: IpAddress): boolean {
  if (address.length === 4) return address[0] === 127;
  return sameAddress(address, IPV6_LOOPBACK);
}

/** 169.254/16 or fe80::/10. */
export function isLinkLocal(address: IpAddress): boolean {
  if (address.length === 4) return address[0] === 169 && address[1] === 254;
  return address[0] === 0xfe && (address[1]! & 0xc0) === 0x80;
}

export function isLimitedBroadcast(address: IpAddress): boolean {
  return sameAddress(address, IPV4_BROADCAST);
}

/** ::ffff:0:0/96. */
export function isV4Mapped(address: IpAddress): boolean {
  if (address.length !== 16) return false;
  for (let i = 0; i < 10; i++) if (address[i] !== 0) return false;
  return address[10] === 0xff && address[11] === 0xff;
}

/** ::ffff:a.b.c.d of a.b.c.d. */
export function toV4Mapped(address: IpAddress): IpAddress {
  const bytes = new Uint8Array(16);
  bytes[10] = 0xff;
  bytes[11] = 0xff;
  bytes.set(address, 12);
  return bytes;
}

/** True if the first `bits` of both are equal. Precondition: of one family. */
export function inPrefix(
  address: IpAddress,
  prefix: IpAddress,
  bits: number,
): boolean {
  const whole = bits >> 3;
  for (let i = 0; i < whole; i++) if (address[i] !== prefix[i]) return false;
  const rest = bits & 7;
  if (rest === 0) return true;
  const mask = 0xff00 >> rest;
  return ((address[whole]! ^ prefix[whole]!) & mask & 0xff) === 0;
}

/** The address with all bits after the prefix set: IPv4's directed broadcast. */
export function broadcastOf(address: IpAddress, bits: number): IpAddress {
  const result = Uint8Array.from(address);
  for (let i = bits; i < 8 * address.length; i++) {
    result[i >> 3]! |= 0x80 >> (i & 7);
  }
  return result;
}

/** The address with all bits after the prefix cleared. */
export function maskAddress(address: IpAddress, bits: number): IpAddress {
  const result = Uint8Array.from(address);
  for (let i = bits; i < 8 * address.length; i++) {
    result[i >> 3]! &= ~(0x80 >> (i & 7));
  }
  return result;
}

/** ff02::1:ffXX:XXXX of an address (RFC 4291 §2.7.1). */
export function solicitedNode(address: IpAddress): IpAddress {
  const group = ipv6(0xff02, 0, 0, 0, 0, 1, 0xff00, 0);
  group.set(address.subarray(13), 13);
  return group;
}

/** The Ethernet address that a multicast group has (RFC 1112 §6.4, RFC 2464
 * §7). */
export function multicastMac(group: IpAddress): MacAddress {
  if (group.length === 4) {
    return Uint8Array.of(1, 0, 0x5e, group[1]! & 127, group[2]!, group[3]!);
  }
  return Uint8Array.of(0x33, 0x33, ...group.subarray(12));
}

/** The EUI-64 interface identifier below a /64 prefix (RFC 4291 appendix A). */
export function eui64Address(prefix: IpAddress, mac: MacAddress): IpAddress {
  const address = new Uint8Array(16);
  address.set(prefix.subarray(0, 8));
  address.set(mac.subarray(0, 3), 8);
  address[8]! ^= 2;
  address[11] = 0xff;
  address[12] = 0xfe;
  address.set(mac.subarray(3), 13);
  return address;
}

/** Dotted, or as RFC 5952 wants it. */
export function addressText(address: IpAddress): string {
  if (address.length === 4) return address.join(".");
  if (isV4Mapped(address)) return `::ffff:${address.subarray(12).join(".")}`;
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) {
    groups.push((address[i]! << 8) | address[i + 1]!);
  }
  let best = -1;
  let bestLength = 1; // a single zero is not shortened (§4.2.2)
  for (let i = 0; i < 8; i++) {
    let j = i;
    while (j < 8 && groups[j] === 0) j++;
    if (j - i > bestLength) [best, bestLength] = [i, j - i];
    if (j > i) i = j;
  }
  const hex = groups.map((group) => group.toString(16));
  if (best < 0) return hex.join(":");
  const head = hex.slice(0, best).join(":");
  return `${head}::${hex.slice(best + bestLength).join(":")}`;
}

export function macText(mac: MacAddress): string {
  return Array.from(mac, (byte) => byte.toString(16).padStart(2, "0"))
    .join(":");
}

/** Reads both forms of text; undefined if it is neither. */
export function parseAddress(text: string): IpAddress | undefined {
  return text.includes(":") ? parseIpv6Text(text) : parseIpv4Text(text);
}

function parseIpv4Text(text: string): IpAddress | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  const bytes = new Uint8Array(4);
  for (let i = 0; i < 4; i++) {
    if (!/^(0|[1-9][0-9]{0,2})$/.test(parts[i]!)) return undefined;
    const value = Number(parts[i]);
    if (value > 255) return undefined;
    bytes[i] = value;
  }
  return bytes;
}

function parseIpv6Text(text: string): IpAddress | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0]!);
  const tail = halves.length === 2 ? parseGroups(halves[1]!) : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  return ipv6(...head, ...new Array<number>(missing).fill(0), ...tail);
}

/** Groups between colons; a dotted address may stand last and is two. */
function parseGroups(text: string): number[] | undefined {
  if (text === "") return [];
  const parts = text.split(":");
  const groups: number[] = [];
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]!;
    if (i === parts.length - 1 && part.includes(".")) {
      const v4 = parseIpv4Text(part);
      if (v4 === undefined) return undefined;
      groups.push((v4[0]! << 8) | v4[1]!, (v4[2]! << 8) | v4[3]!);
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return undefined;
      groups.push(parseInt(part, 16));
    }
  }
  return groups;
}
