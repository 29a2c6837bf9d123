/**
 * Credentials: user and group ids, supplementary groups and capability sets
 * of a task. Immutable; set*id and capset make new ones. Source:
 * credentials(7), capabilities(7).
 * @module
 */
import { CAP_LAST_CAP } from "../abi/capability.ts";
import type { Identity } from "../vfs/caller.ts";

/** A set of capabilities as two words. Immutable. */
export interface CapabilitySet {
  readonly low: number;
  readonly high: number;
}

export const NO_CAPABILITIES: CapabilitySet = Object.freeze({
  low: 0,
  high: 0,
});
export const ALL_CAPABILITIES: CapabilitySet = Object.freeze({
  low: -1,
  high: (1 << (CAP_LAST_CAP - 31)) - 1,
});

export function hasCapability(set: CapabilitySet, capability: number): boolean {
  return capability < 32
    ? (set.low & (1 << capability)) !== 0
    : (set.high & (1 << (capability - 32))) !== 0;
}
export function isSubset(inner: CapabilitySet, outer: CapabilitySet): boolean {
  return (inner.low & ~outer.low) === 0 && (inner.high & ~outer.high) === 0;
}
export function union(a: CapabilitySet, b: CapabilitySet): CapabilitySet {
  return { low: a.low | b.low, high: a.high | b.high };
}
export function intersect(a: CapabilitySet, b: CapabilitySet): CapabilitySet {
  return { low: a.low & b.low, high: a.high & b.high };
}
export function without(set: CapabilitySet, capability: number): CapabilitySet {
  return capability < 32
    ? { low: set.low & ~(1 << capability), high: set.high }
    : { low: set.low, high: set.high & ~(1 << (capability - 32)) };
}
/** The set of the given capability numbers. */
export function capabilitySet(capabilities: Iterable<number>): CapabilitySet {
  let low = 0;
  let high = 0;
  for (const capability of capabilities) {
    if (capability < 32) low |= 1 << capability;
    else high |= 1 << (capability - 32);
  }
  return { low, high };
}

export interface CredentialFields {
  readonly uid: number;
  readonly euid: number;
  readonly suid: number;
  readonly fsuid: number;
  readonly gid: number;
  readonly egid: number;
  readonly sgid: number;
  readonly fsgid: number;
  readonly groups: readonly number[];
  readonly permitted: CapabilitySet;
  readonly effective: CapabilitySet;
  readonly inheritable: CapabilitySet;
  readonly bounding: CapabilitySet;
  readonly ambient: CapabilitySet;
  /** SECBIT_* (capabilities(7)). */
  readonly securebits: number;
}

export class Credentials implements Identity, CredentialFields {
  readonly uid: number;
  readonly euid: number;
  readonly suid: number;
  readonly fsuid: number;
  readonly gid: number;
  readonly egid: number;
  readonly sgid: number;
  readonly fsgid: number;
  readonly groups: readonly number[];
  readonly permitted: CapabilitySet;
  readonly effective: CapabilitySet;
  readonly inheritable: CapabilitySet;
  readonly bounding: CapabilitySet;
  readonly ambient: CapabilitySet;
  readonly securebits: number;

  constructor(fields: CredentialFields) {
    this.uid = fields.uid;
    this.euid = fields.euid;
    this.suid = fields.suid;
    this.fsuid = fields.fsuid;
    this.gid = fields.gid;
    this.egid = fields.egid;
    this.sgid = fields.sgid;
    this.fsgid = fields.fsgid;
    this.groups = fields.groups;
    this.permitted = fields.permitted;
    this.effective = fields.effective;
    this.inheritable = fields.inheritable;
    this.bounding = fields.bounding;
    this.ambient = fields.ambient;
    this.securebits = fields.securebits;
  }

  /** A copy with some fields changed. */
  with(change: Partial<CredentialFields>): Credentials {
    return new Credentials({ ...this, ...change });
  }

  has(capability: number): boolean {
    return hasCapability(this.effective, capability);
  }
  isInGroup(gid: number): boolean {
    return gid === this.fsgid || this.groups.includes(gid);
  }
}
