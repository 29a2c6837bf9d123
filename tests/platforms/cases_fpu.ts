/**
 * FPU state: kept over every kind of stop, initial in a new context, readable
 * after saveFpu(), replaced by markFpuDirty(). Layout of the XSAVE area: Intel
 * SDM volume 1, chapter 13.
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { type Context, StopReason } from "../../platforms/platform.ts";
import {
  type Code,
  GET_K3,
  LOAD_BYTE,
  LOAD_YMM5,
  LOAD_ZMM21,
  SET_K3,
  SPIN,
  STORE_FPU_CONTROL,
  STORE_YMM5,
  STORE_ZMM21,
  SYSCALL,
  UD2,
} from "./assembler.ts";
import { type Case, CODE, DATA, type Guest } from "./machine.ts";
import { type Machine, PAGE, R, setRegister, W } from "./machine.ts";

const XSTATE_BV = 512;
const SSE = 1 << 1;
const AVX = 1 << 2;
const OPMASK = 1 << 5;
const ZMM_ALL = 7 << 5;
/** Offset of xmm5 in the legacy region. */
const XMM5 = 160 + 5 * 16;
const INITIAL_MXCSR = 0x1f80;
const INITIAL_FCW = 0x37f;

/** A vector register's content that no other test uses. */
function pattern(bytes: number, seed: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, i) => (i * 7 + seed) & 0xff);
}

function bytesAt(machine: Machine, offset: number, length: number): number[] {
  const bytes = new Uint8Array(length);
  machine.memory.read(offset, bytes);
  return [...bytes];
}

function has(machine: Machine, features: number): boolean {
  return (machine.platform.info.xcr0Low & features) === features;
}

/** Stops of every kind between the instruction that loads a vector register
 * and the one that stores it. */
const STOPS: readonly { name: string; code: Code; pass(guest: Guest): void }[] =
  [
    {
      name: "a syscall",
      code: SYSCALL,
      pass: (guest) => assertEquals(guest.run(), StopReason.Syscall),
    },
    {
      name: "a fault with a report",
      code: LOAD_BYTE,
      pass(guest) {
        guest.space.protect(DATA, PAGE, 0);
        assertEquals(guest.run(), StopReason.Fault);
        assertEquals(guest.context.trapno, 14);
        guest.space.protect(DATA, PAGE, R | W);
      },
    },
    {
      name: "a fault without a report",
      code: UD2,
      pass(guest) {
        assertEquals(guest.run(), StopReason.Fault);
        guest.set("rip", guest.get("rip") + BigInt(UD2.length));
      },
    },
    {
      name: "an interrupt",
      code: SPIN,
      pass(guest) {
        guest.resume();
        guest.context.interrupt();
        guest.machine.nextStop();
        guest.set("rip", guest.get("rip") + BigInt(SPIN.length));
      },
    },
    {
      name: "a move to another space",
      code: SYSCALL,
      pass(guest) {
        assertEquals(guest.run(), StopReason.Syscall);
        const other = guest.machine.newSpace();
        other.map(CODE, PAGE, 5, guest.codeOffset, true);
        other.map(DATA, PAGE, R | W, guest.dataOffset, false);
        const old = guest.space;
        guest.space = other;
        guest.context.interrupt();
        assertEquals(guest.run(), StopReason.Interrupt);
        old.release();
      },
    },
  ];

/** Loads a register with a pattern, passes a stop, and compares. */
function survives(
  machine: Machine,
  stop: typeof STOPS[number],
  load: Code,
  store: Code,
  bytes: number,
): void {
  const code = [...load, ...SYSCALL, ...stop.code, ...store, ...SYSCALL];
  const guest = machine.newGuest(code);
  const want = pattern(bytes, 3);
  machine.memory.write(guest.dataOffset, want);
  assertEquals(guest.run(), StopReason.Syscall);
  stop.pass(guest);
  guest.set("rdi", DATA + 128);
  assertEquals(guest.run(), StopReason.Syscall);
  assertEquals(bytesAt(machine, guest.dataOffset + 128, bytes), [...want]);
}

function xstateLow(context: Context): number {
  return context.view.getUint32(context.xsaveBase + XSTATE_BV, true);
}

export const FPU_CASES: readonly Case[] = [
  ...STOPS.flatMap((stop): Case[] => [
    {
      name: `ymm registers survive ${stop.name}`,
      run(machine) {
        if (!has(machine, AVX)) return;
        survives(machine, stop, LOAD_YMM5, STORE_YMM5, 32);
      },
    },
    {
      name: `upper zmm registers survive ${stop.name}`,
      run(machine) {
        if (!has(machine, ZMM_ALL)) return;
        survives(machine, stop, LOAD_ZMM21, STORE_ZMM21, 64);
      },
    },
  ]),
  {
    name: "mask registers survive a syscall and a fault",
    run(machine) {
      if (!has(machine, OPMASK)) return;
      const guest = machine.newGuest([
        ...SET_K3,
        ...SYSCALL,
        ...LOAD_BYTE,
        ...GET_K3,
        ...SYSCALL,
      ]);
      guest.set("rax", 0x1234_5678_9abcn);
      guest.run();
      guest.set("rsi", 0x5000);
      assertEquals(guest.run(), StopReason.Fault);
      guest.set("rsi", DATA);
      guest.run();
      assertEquals(guest.get("origRax") & 0xffff_ffffn, 0x5678_9abcn);
    },
  },
  {
    name: "a new context has the initial FPU state, also on a used thread",
    run(machine) {
      if (!has(machine, AVX)) return;
      const guest = machine.newGuest([
        ...STORE_FPU_CONTROL,
        ...SYSCALL,
        ...STORE_YMM5,
        ...LOAD_YMM5,
        ...SYSCALL,
      ]);
      machine.memory.write(guest.dataOffset + 256, pattern(32, 9));
      for (let i = 0; i < 3; i++) {
        const context = guest.newThread();
        const worker = { context, stop: () => machine.nextStop() };
        machine.memory.write(guest.dataOffset, pattern(64, 1));
        assertEquals(context.resume(guest.space), 0);
        worker.stop();
        const { view } = machine.memory;
        assertEquals(view.getUint16(guest.dataOffset, true), INITIAL_FCW);
        assertEquals(
          view.getUint32(guest.dataOffset + 4, true),
          INITIAL_MXCSR,
        );
        setRegister(context, "rsi", DATA + 256);
        assertEquals(context.resume(guest.space), 0);
        worker.stop();
        assertEquals(
          bytesAt(machine, guest.dataOffset, 32),
          Array.from({ length: 32 }, () => 0),
        );
        context.release();
      }
    },
  },
  {
    name: "saveFpu shows the registers in standard format",
    run(machine) {
      if (!has(machine, AVX)) return;
      const guest = machine.newGuest([...LOAD_YMM5, ...SYSCALL]);
      const want = pattern(32, 5);
      machine.memory.write(guest.dataOffset, want);
      guest.run();
      const { context } = guest;
      assertEquals(context.saveFpu(), 0);
      const { view, xsaveBase } = context;
      assertEquals(view.getUint16(xsaveBase, true), INITIAL_FCW);
      assertEquals(view.getUint32(xsaveBase + 24, true), INITIAL_MXCSR);
      assertEquals(xstateLow(context) & (SSE | AVX), SSE | AVX);
      for (let i = 0; i < 16; i++) {
        assertEquals(view.getUint8(xsaveBase + XMM5 + i), want[i]);
        // The upper halves are the first extended component.
        assertEquals(view.getUint8(xsaveBase + 576 + 5 * 16 + i), want[16 + i]);
      }
      assertEquals(context.saveFpu(), 0, "again");
    },
  },
  {
    name: "markFpuDirty loads the area at the next resume",
    run(machine) {
      if (!has(machine, AVX)) return;
      const guest = machine.newGuest([
        ...LOAD_YMM5,
        ...SYSCALL,
        ...STORE_YMM5,
        ...SYSCALL,
      ]);
      machine.memory.write(guest.dataOffset, pattern(32, 5));
      guest.run();
      const { context } = guest;
      assertEquals(context.saveFpu(), 0);
      context.view.setUint8(context.xsaveBase + XMM5 + 2, 0xee);
      context.markFpuDirty();
      guest.run();
      const want = pattern(32, 5);
      want[2] = 0xee;
      assertEquals(bytesAt(machine, guest.dataOffset, 32), [...want]);
    },
  },
  {
    name: "without markFpuDirty a changed area is not loaded",
    run(machine) {
      if (!has(machine, AVX)) return;
      const guest = machine.newGuest([
        ...LOAD_YMM5,
        ...SYSCALL,
        ...STORE_YMM5,
        ...SYSCALL,
      ]);
      machine.memory.write(guest.dataOffset, pattern(32, 5));
      guest.run();
      const { context } = guest;
      context.saveFpu();
      context.view.setUint8(context.xsaveBase + XMM5 + 2, 0xee);
      guest.run();
      assertEquals(
        bytesAt(machine, guest.dataOffset, 32),
        [...pattern(32, 5)],
      );
    },
  },
  {
    name: "an area copied to a new context gives it the same registers",
    run(machine) {
      if (!has(machine, AVX)) return;
      const guest = machine.newGuest([
        ...LOAD_YMM5,
        ...SYSCALL,
        ...STORE_YMM5,
        ...SYSCALL,
      ]);
      machine.memory.write(guest.dataOffset, pattern(32, 8));
      guest.run();
      guest.context.saveFpu();
      const child = guest.newThread();
      const { view, xsaveBase } = guest.context;
      const { xsaveBytes } = machine.platform.info;
      new Uint8Array(view.buffer).copyWithin(
        child.xsaveBase,
        xsaveBase,
        xsaveBase + xsaveBytes,
      );
      child.markFpuDirty();
      setRegister(child, "rip", CODE + LOAD_YMM5.length + SYSCALL.length);
      setRegister(child, "rdi", DATA + 512);
      assertEquals(child.resume(guest.space), 0);
      machine.nextStop();
      assertEquals(
        bytesAt(machine, guest.dataOffset + 512, 32),
        [...pattern(32, 8)],
      );
    },
  },
  {
    name: "a malformed area is loaded as the initial state",
    run(machine) {
      if (!has(machine, AVX)) return;
      for (const spoil of ["features", "compaction", "mxcsr"]) {
        const guest = machine.newGuest([
          ...LOAD_YMM5,
          ...SYSCALL,
          ...STORE_YMM5,
          ...SYSCALL,
        ]);
        machine.memory.write(guest.dataOffset, pattern(32, 5));
        guest.run();
        const { context } = guest;
        context.saveFpu();
        const { view, xsaveBase } = context;
        if (spoil === "features") {
          view.setUint32(xsaveBase + XSTATE_BV + 4, 0x7fff_ffff, true);
        } else if (spoil === "compaction") {
          view.setUint32(xsaveBase + XSTATE_BV + 12, 0x8000_0000, true);
        } else {
          view.setUint32(xsaveBase + 24, 0xffff_ffff, true);
        }
        context.markFpuDirty();
        guest.run();
        assert(
          bytesAt(machine, guest.dataOffset, 32).every((byte) => byte === 0),
          spoil,
        );
      }
    },
  },
];
