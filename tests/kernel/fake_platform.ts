/**
 * A Platform without guests: contexts are plain memory, resume() does nothing,
 * a test plays the guest by filling in registers. For tests and for measuring
 * what the kernel itself costs.
 * @module
 */
import { USER_REGS_SIZE } from "../../kernel/abi/ptrace.ts";
import type {
  AddressSpace,
  Context,
  Platform,
  PlatformInfo,
} from "../../platforms/platform.ts";
import { StopReason } from "../../platforms/platform.ts";

const XSAVE_BYTES = 576;
const STRIDE = 1024;
const XSAVE_AT = USER_REGS_SIZE;

/** An address space that remembers nothing: no guest looks. */
class NoSpace implements AddressSpace {
  map(): void {}
  unmap(): void {}
  protect(): void {}
  flush(): number {
    return 0;
  }
  release(): void {}
}

export class FakeContext implements Context {
  readonly regsBase: number;
  readonly base: number;
  readonly xsaveBase: number;
  isRunning = false;
  owner: unknown = null;
  stopReason: StopReason = StopReason.Syscall;
  trapno = 0;
  errorCode = 0;
  faultAddress = 0;
  isCompatSyscall = false;
  hostStatus = 0;
  /** How often the kernel let it run. */
  resumes = 0;

  constructor(readonly view: DataView, readonly index: number) {
    this.base = index * STRIDE;
    this.regsBase = this.base;
    this.xsaveBase = this.base + XSAVE_AT;
  }
  setSingleStep(): void {}
  resume(): number {
    this.resumes++;
    return 0;
  }
  interrupt(): void {}
  saveFpu(): number {
    return 0;
  }
  markFpuDirty(): void {}
  release(): void {}
}

export class FakePlatform implements Platform {
  readonly info: PlatformInfo = {
    name: "ptrace",
    minAddress: 65536,
    maxAddress: 0x7fff_ffff_0000,
    xsaveBytes: XSAVE_BYTES,
    xcr0Low: 7,
    xcr0High: 0,
  };
  readonly isBroken = false;
  readonly #view: DataView;
  #next = 0;

  constructor(maxContexts: number) {
    this.#view = new DataView(new ArrayBuffer(maxContexts * STRIDE));
  }
  newAddressSpace(): AddressSpace {
    return new NoSpace();
  }
  newContext(): FakeContext {
    return new FakeContext(this.#view, this.#next++);
  }
  nextStopped(): null {
    return null;
  }
  wait(): void {}
  takeRing(): boolean {
    return false;
  }
  close(): void {}
}
