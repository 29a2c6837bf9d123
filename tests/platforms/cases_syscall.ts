/**
 * System call stops: numbers, arguments, every register, and the entries that
 * are not the `syscall` instruction.
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { StopReason } from "../../platforms/platform.ts";
import {
  CALL_RAX,
  COUNTING_SYSCALL_LOOP,
  CPUID,
  INT_80,
  RDTSC,
  READ_BASES,
  type Register,
  SYSCALL,
  SYSCALL_LOOP,
  UD2,
  WRITE_BASES,
} from "./assembler.ts";
import { LOAD_BYTE, LOAD_FS, LOAD_GS } from "./assembler.ts";
import { type Case, CODE, DATA, PAGE, R } from "./machine.ts";

const GENERAL: readonly Register[] = [
  "r15",
  "r14",
  "r13",
  "r12",
  "rbp",
  "rbx",
  "r10",
  "r9",
  "r8",
  "rdx",
  "rsi",
  "rdi",
  "rsp",
];
const MINUS_1 = 2n ** 64n - 1n;
const VSYSCALL_TIME = 0xffff_ffff_ff60_0400n;
const NR_TIME = 201n;

export const SYSCALL_CASES: readonly Case[] = [
  {
    name: "syscall stop has the number and stands behind the instruction",
    run(machine) {
      const guest = machine.newGuest(SYSCALL_LOOP);
      guest.set("rax", 39);
      assertEquals(guest.run(), StopReason.Syscall);
      assertEquals(guest.get("origRax"), 39n);
      assertEquals(guest.get("rip"), BigInt(CODE + 2));
      assertEquals(guest.context.isCompatSyscall, false);
    },
  },
  {
    name: "syscall keeps every register, all 64 bits, both ways",
    run(machine) {
      const guest = machine.newGuest(SYSCALL_LOOP);
      for (let round = 1n; round <= 3n; round++) {
        GENERAL.forEach((register, i) => {
          guest.set(register, 0xf123_4567_89ab_0000n * round + BigInt(i));
        });
        assertEquals(guest.run(), StopReason.Syscall);
        GENERAL.forEach((register, i) => {
          const want = 0xf123_4567_89ab_0000n * round + BigInt(i);
          assertEquals(guest.get(register), BigInt.asUintN(64, want), register);
        });
      }
    },
  },
  {
    name: "syscall leaves rip in rcx and rflags in r11",
    run(machine) {
      const guest = machine.newGuest(SYSCALL_LOOP);
      guest.set("rcx", 1);
      guest.set("r11", 2);
      guest.set("eflags", 0x8d5); // CF PF AF ZF SF OF set, bit 1 missing
      guest.run();
      assertEquals(guest.get("rcx"), BigInt(CODE + 2));
      assertEquals(guest.get("r11"), guest.get("eflags"));
      assertEquals(guest.get("eflags") & 0x8d5n, 0x8d5n);
      assert((guest.get("eflags") & 0x202n) === 0x202n, "IF and bit 1");
    },
  },
  {
    name: "resume after a syscall can set rcx and r11 to anything",
    run(machine) {
      const guest = machine.newGuest([...SYSCALL, ...UD2]);
      guest.run();
      guest.set("rcx", 0x1111_2222_3333_4444n);
      guest.set("r11", 0x5555_6666_7777_8888n);
      assertEquals(guest.run(), StopReason.Fault);
      assertEquals(guest.get("rcx"), 0x1111_2222_3333_4444n);
      assertEquals(guest.get("r11"), 0x5555_6666_7777_8888n);
    },
  },
  {
    name: "resume never restarts a syscall, whatever rax holds",
    run(machine) {
      const guest = machine.newGuest(COUNTING_SYSCALL_LOOP);
      guest.run();
      for (const code of [512n, 513n, 514n, 516n]) {
        const count = guest.get("rbx");
        guest.set("rax", -code);
        guest.context.interrupt();
        assertEquals(guest.run(), StopReason.Interrupt);
        guest.resume();
        guest.context.interrupt();
        let reason = machine.nextStop().stopReason;
        if (reason === StopReason.Interrupt) reason = guest.run();
        assertEquals(reason, StopReason.Syscall);
        assertEquals(guest.get("origRax"), BigInt.asUintN(64, -code));
        assertEquals(guest.get("rbx"), count + 1n);
      }
    },
  },
  {
    name: "the result that the kernel puts into rax reaches the guest",
    run(machine) {
      const guest = machine.newGuest([...SYSCALL, ...UD2]);
      guest.set("rax", 12345);
      guest.run();
      guest.set("rax", 0xdead_beef_0000_0001n);
      guest.run();
      assertEquals(guest.get("rax"), 0xdead_beef_0000_0001n);
    },
  },
  {
    name: "origRax of a stop that is no syscall is -1",
    run(machine) {
      const guest = machine.newGuest([...SYSCALL, ...UD2]);
      guest.run();
      guest.run();
      assertEquals(guest.get("origRax"), MINUS_1);
    },
  },
  {
    name: "an x32 number is just a large number",
    run(machine) {
      const guest = machine.newGuest(SYSCALL);
      guest.set("rax", 0x4000_0000 + 39);
      assertEquals(guest.run(), StopReason.Syscall);
      assertEquals(guest.get("origRax"), 0x4000_0027n);
      assertEquals(guest.context.isCompatSyscall, false);
    },
  },
  {
    name: "a number with high bits arrives whole",
    run(machine) {
      const guest = machine.newGuest(SYSCALL);
      guest.set("rax", 0xffff_ffff_0000_0027n);
      assertEquals(guest.run(), StopReason.Syscall);
      assertEquals(guest.get("origRax"), 0xffff_ffff_0000_0027n);
    },
  },
  {
    name: "int 0x80 is reported as the 32-bit entry, or as a fault",
    run(machine) {
      const guest = machine.newGuest(INT_80);
      guest.set("rax", 20);
      const reason = guest.run();
      if (reason === StopReason.Fault) { // a host without 32-bit support
        assertEquals(guest.context.trapno, 13);
        return;
      }
      assertEquals(reason, StopReason.Syscall);
      assertEquals(guest.context.isCompatSyscall, true);
      assertEquals(guest.get("origRax"), 20n);
      assertEquals(guest.get("rip"), BigInt(CODE + 2));
    },
  },
  {
    name: "a syscall after int 0x80 is reported as 64-bit again",
    run(machine) {
      const guest = machine.newGuest([...INT_80, ...SYSCALL]);
      guest.set("rax", 20);
      if (guest.run() !== StopReason.Syscall) guest.set("rip", CODE + 2);
      assertEquals(guest.run(), StopReason.Syscall);
      assertEquals(guest.context.isCompatSyscall, false);
    },
  },
  {
    name: "a call into the vsyscall page is a stop, never host time",
    run(machine) {
      const guest = machine.newGuest([...CALL_RAX, ...UD2]);
      guest.set("rax", VSYSCALL_TIME);
      guest.set("rdi", 0);
      const reason = guest.run();
      if (reason === StopReason.Fault) {
        assertEquals(guest.context.trapno, 14);
        assertEquals(guest.get("rip"), VSYSCALL_TIME);
        assertEquals(guest.context.errorCode & 0x10, 0x10, "a fetch");
        return;
      }
      assertEquals(reason, StopReason.Syscall);
      assertEquals(guest.get("origRax"), NR_TIME);
      assertEquals(guest.get("rip"), BigInt(CODE + 2), "its ret is done");
      guest.set("rax", 77);
      assertEquals(guest.run(), StopReason.Fault);
      assertEquals(guest.get("rax"), 77n);
    },
  },
  {
    name: "rdtsc and cpuid run",
    run(machine) {
      const guest = machine.newGuest([...RDTSC, ...SYSCALL, ...CPUID, ...UD2]);
      guest.run();
      assert(guest.get("rdx") > 0n || guest.get("rax") > 0n);
      guest.set("rax", 0);
      guest.set("rcx", 0);
      assertEquals(guest.run(), StopReason.Fault);
      assertEquals(guest.context.trapno, 6);
      assert(guest.get("rax") >= 1n, "highest leaf");
    },
  },
  {
    name: "fsBase and gsBase reach the guest",
    run(machine) {
      const guest = machine.newGuest([
        ...LOAD_FS,
        ...SYSCALL,
        ...LOAD_GS,
        ...SYSCALL,
      ], 2);
      const { memory } = machine;
      memory.view.setUint32(guest.dataOffset + 64, 1111, true);
      memory.view.setUint32(guest.dataOffset + 4096, 2222, true);
      guest.set("fsBase", DATA + 64);
      guest.set("gsBase", DATA + 4096);
      guest.run();
      assertEquals(guest.get("origRax"), 1111n);
      assertEquals(guest.get("fsBase"), BigInt(DATA + 64));
      guest.run();
      assertEquals(guest.get("origRax"), 2222n);
      assertEquals(guest.get("gsBase"), BigInt(DATA + 4096));
    },
  },
  {
    name: "bases that the guest wrote itself are reported and kept",
    run(machine) {
      const guest = machine.newGuest([
        ...WRITE_BASES,
        ...SYSCALL,
        ...READ_BASES,
        ...SYSCALL,
      ]);
      const kernelHalf = 0xffff_8000_0000_1000n;
      for (const [fs, gs] of [[0x1234_5000n, 0x77n], [kernelHalf, 8n]]) {
        guest.set("rip", CODE);
        guest.set("rax", fs!);
        guest.set("rdx", gs!);
        if (guest.run() === StopReason.Fault) return; // no FSGSBASE
        assertEquals(guest.get("fsBase"), fs);
        assertEquals(guest.get("gsBase"), gs);
        guest.set("rbx", 0x1234_5678_9abc_def0n);
        assertEquals(guest.run(), StopReason.Syscall);
        assertEquals(guest.get("origRax"), fs);
        assertEquals(guest.get("rdx"), gs);
        assertEquals(guest.get("rbx"), 0x1234_5678_9abc_def0n);
      }
    },
  },
  {
    name: "bases that the guest wrote itself survive a fault",
    run(machine) {
      const guest = machine.newGuest([
        ...WRITE_BASES,
        ...LOAD_BYTE,
        ...READ_BASES,
        ...SYSCALL,
      ]);
      guest.set("rax", 0xffff_8000_0000_1000n);
      guest.set("rdx", 0x88);
      guest.space.protect(DATA, PAGE, 0);
      assertEquals(guest.run(), StopReason.Fault);
      if (guest.context.trapno === 6) return; // no FSGSBASE
      guest.space.protect(DATA, PAGE, R);
      assertEquals(guest.run(), StopReason.Syscall);
      assertEquals(guest.get("origRax"), 0xffff_8000_0000_1000n);
      assertEquals(guest.get("rdx"), 0x88n);
    },
  },
];
