/**
 * The one declaration of every struct shared between the kernel's TypeScript
 * and the platform plugins' C. `deno task gen` writes layout.h from it, with a
 * `_Static_assert` on each size and offset; the gate fails on a stale file.
 *
 * Everything in a context was chosen by the guest: read each word once, check
 * it, then use it.
 * @module
 */

/** A field: its C type, its byte offset, and the count if it is an array. */
export interface Field {
  readonly type: "u32" | "u64" | "u8";
  readonly offset: number;
  readonly count?: number;
}

/** A struct of fixed size whose fields are laid out by hand. */
export interface Layout {
  readonly name: string;
  readonly doc: string;
  readonly size: number;
  readonly fields: Readonly<Record<string, Field>>;
}

const u32 = (offset: number, count?: number): Field => ({
  type: "u32",
  offset,
  ...(count === undefined ? {} : { count }),
});
const u64 = (offset: number): Field => ({ type: "u64", offset });

/** Upper bound of contexts of one platform; the bitmaps are sized by it. */
export const MAX_CONTEXTS = 16384;
/** Words of 32 bits in the stopped bitmap. */
export const STOPPED_WORDS = MAX_CONTEXTS / 32;
/** Words in the summary: bit w of it says stopped word w may be non-zero. */
export const SUMMARY_WORDS = STOPPED_WORDS / 32;
/** Records the memory-operation table holds. */
export const MEM_OPS_MAX = 512;

/** One context: why a guest thread stopped, its registers, its FPU state. */
export const CONTEXT: Layout = {
  name: "rsp_context",
  doc: "One guest thread: registers and why it stopped",
  size: 512,
  fields: {
    /** CONTEXT_KERNEL, CONTEXT_GUEST (owned by the platform) or CONTEXT_DEAD. */
    state: u32(0),
    /** STOP_*: valid while state is CONTEXT_KERNEL or CONTEXT_DEAD. */
    stop: u32(4),
    /** x86 exception vector, for STOP_FAULT. */
    trapno: u32(8),
    /** x86 error code, for STOP_FAULT (page faults: P=1, W=2, U=4, I=16). */
    error: u32(12),
    /** CR2, for STOP_FAULT with trapno 14. */
    faultAddr: u64(16),
    /** Host wait status of a guest that died, for STOP_DEAD. */
    hostStatus: u32(24),
    /** FPU_*: where the FPU state is. */
    fpu: u32(28),
    /** Space index the context was last resumed in (library's own). */
    space: u32(32),
    /** STEP_*: set by the kernel before resume. */
    step: u32(36),
    /** AUDIT_ARCH-like word of a syscall stop: ABI_X64 or ABI_I386. */
    abi: u32(40),
    /** General registers in the order of struct user_regs_struct. */
    r15: u64(64),
    r14: u64(72),
    r13: u64(80),
    r12: u64(88),
    rbp: u64(96),
    rbx: u64(104),
    r11: u64(112),
    r10: u64(120),
    r9: u64(128),
    r8: u64(136),
    rax: u64(144),
    rcx: u64(152),
    rdx: u64(160),
    rsi: u64(168),
    rdi: u64(176),
    /** Number of the system call at STOP_SYSCALL; else -1. */
    origRax: u64(184),
    rip: u64(192),
    cs: u64(200),
    eflags: u64(208),
    rsp: u64(216),
    ss: u64(224),
    fsBase: u64(232),
    gsBase: u64(240),
    ds: u64(248),
    es: u64(256),
    fs: u64(264),
    gs: u64(272),
  },
};

/** Byte offset of the XSAVE area within a context (64-byte aligned). */
export const CONTEXT_XSAVE = 512;

/** The page shared by kernel and plugin: geometry, doorbell, bitmaps. */
export const CONTROL: Layout = {
  name: "rsp_control",
  doc: "Geometry, doorbell, stopped bitmap and memory-operation table",
  size: 128 + 4 * SUMMARY_WORDS + 4 * STOPPED_WORDS + 32 * MEM_OPS_MAX,
  fields: {
    /** Bytes from one context to the next; a multiple of the page size. */
    contextStride: u32(0),
    /** Byte offset of context 0 from the start of the control region. */
    contextsOffset: u32(4),
    /** Contexts this platform can hold. */
    contextCount: u32(8),
    /** Bytes of XSAVE area that the host's XCR0 needs. */
    xsaveBytes: u32(12),
    /** XCR0, low and high word. */
    xcr0Low: u32(16),
    xcr0High: u32(20),
    /** Raised by whoever wants the kernel's attention; see platform.h. */
    doorbell: u32(64),
    /** Non-zero while the kernel sleeps in rsp_wait. */
    sleeping: u32(68),
    /** Set by rsp_ring: the host reactor has something for the kernel. */
    rung: u32(72),
    /** Set once a process of the platform's ended that nobody told to: it
     * cannot go on. `rung` is set with it. */
    broken: u32(76),
    summary: u32(128, SUMMARY_WORDS),
    stopped: u32(128 + 4 * SUMMARY_WORDS, STOPPED_WORDS),
    /** MEM_OPS_MAX records of struct rsp_mem_op. */
    memOps: {
      type: "u8",
      offset: 128 + 4 * SUMMARY_WORDS + 4 * STOPPED_WORDS,
      count: 32 * MEM_OPS_MAX,
    },
  },
};

/** One request to change an address space. */
export const MEM_OP: Layout = {
  name: "rsp_mem_op",
  doc: "One map, unmap or protect request",
  size: 32,
  fields: {
    /** MEM_MAP, MEM_UNMAP or MEM_PROTECT. */
    op: u32(0),
    /** PROT_READ | PROT_WRITE | PROT_EXEC, or'ed with MEM_POPULATE. */
    prot: u32(4),
    addr: u64(8),
    length: u64(16),
    /** Offset in the memory file, for MEM_MAP. */
    offset: u64(24),
  },
};

/** Constants that both sides use, written into layout.h as macros. */
export const CONSTANTS = {
  MAX_CONTEXTS,
  STOPPED_WORDS,
  SUMMARY_WORDS,
  MEM_OPS_MAX,
  CONTEXT_XSAVE,
  CONTEXT_KERNEL: 0,
  CONTEXT_GUEST: 1,
  CONTEXT_DEAD: 2,
  STOP_NONE: 0,
  STOP_SYSCALL: 1,
  STOP_FAULT: 2,
  STOP_INTERRUPT: 3,
  STOP_DEAD: 4,
  FPU_IN_GUEST: 0,
  FPU_SAVED: 1,
  FPU_DIRTY: 2,
  STEP_NONE: 0,
  STEP_SINGLE: 1,
  ABI_X64: 0,
  ABI_I386: 1,
  MEM_MAP: 1,
  MEM_UNMAP: 2,
  MEM_PROTECT: 3,
  MEM_POPULATE: 0x100,
} as const;

export const LAYOUTS: readonly Layout[] = [CONTEXT, CONTROL, MEM_OP];
