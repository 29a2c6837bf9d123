/**
 * PendingWait: what a parked task left in some object's list, beside a
 * WaitQueue, that must go when the task ends without finishing its call.
 * @module
 */

export abstract class PendingWait {
  /** The call will not go on: leave every list. May be called again. */
  abstract abandon(): void;
}
