/**
 * Resource limits of a process: soft and hard value per RLIMIT_*; Infinity is
 * RLIM_INFINITY. Source: getrlimit(2); defaults of a Linux init.
 * @module
 */
import {
  RLIM_NLIMITS,
  RLIMIT_CORE,
  RLIMIT_MEMLOCK,
  RLIMIT_MSGQUEUE,
  RLIMIT_NICE,
  RLIMIT_NOFILE,
  RLIMIT_NPROC,
  RLIMIT_RTPRIO,
  RLIMIT_SIGPENDING,
  RLIMIT_STACK,
} from "../abi/resource.ts";

export class Limits {
  readonly soft: Float64Array = new Float64Array(RLIM_NLIMITS).fill(Infinity);
  readonly hard: Float64Array = new Float64Array(RLIM_NLIMITS).fill(Infinity);

  constructor() {
    this.set(RLIMIT_STACK, 8 * 1024 * 1024, Infinity);
    this.set(RLIMIT_CORE, 0, Infinity);
    this.set(RLIMIT_NOFILE, 1024, 1048576);
    this.set(RLIMIT_MEMLOCK, 8 * 1024 * 1024, 8 * 1024 * 1024);
    this.set(RLIMIT_SIGPENDING, 30000, 30000);
    this.set(RLIMIT_NPROC, 30000, 30000);
    this.set(RLIMIT_MSGQUEUE, 819200, 819200);
    this.set(RLIMIT_NICE, 0, 0);
    this.set(RLIMIT_RTPRIO, 0, 0);
  }

  set(resource: number, soft: number, hard: number): void {
    this.soft[resource] = soft;
    this.hard[resource] = hard;
  }
  copy(): Limits {
    const copy = new Limits();
    copy.soft.set(this.soft);
    copy.hard.set(this.hard);
    return copy;
  }
}
