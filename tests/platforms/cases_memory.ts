/**
 * Address spaces: what map, unmap and protect mean to running and stopped
 * guests, and that spaces are separate.
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { MEM_OPS_MAX } from "../../platforms/layouts.ts";
import { StopReason } from "../../platforms/platform.ts";
import {
  LOAD_BYTE,
  LOAD_LOOP,
  STORE_BYTE,
  STORE_LOOP,
  SYSCALL,
} from "./assembler.ts";
import { type Case, CODE, DATA, PAGE, R, W, X } from "./machine.ts";

const EINVAL = 22;

export const MEMORY_CASES: readonly Case[] = [
  {
    name: "a store arrives in the memory file, a load sees it change",
    run(machine) {
      const guest = machine.newGuest([
        ...STORE_BYTE,
        ...SYSCALL,
        ...LOAD_BYTE,
        ...SYSCALL,
      ]);
      guest.set("rax", 0x41);
      guest.run();
      assertEquals(machine.memory.view.getUint8(guest.dataOffset), 0x41);
      machine.memory.view.setUint8(guest.dataOffset, 0x42);
      guest.set("rax", 0);
      guest.run();
      assertEquals(guest.get("origRax"), 0x42n);
    },
  },
  {
    name: "one page in two spaces is one page, at different addresses",
    run(machine) {
      const writer = machine.newGuest([...STORE_BYTE, ...SYSCALL]);
      const reader = machine.newGuest([...LOAD_BYTE, ...SYSCALL]);
      const elsewhere = DATA + 0x123_4000;
      reader.space.map(elsewhere, PAGE, R, writer.dataOffset, false);
      reader.set("rsi", elsewhere + 5);
      writer.set("rdi", DATA + 5);
      writer.set("rax", 0x99);
      writer.run();
      reader.run();
      assertEquals(reader.get("origRax"), 0x99n);
    },
  },
  {
    name: "the same address in two spaces is two pages",
    run(machine) {
      const one = machine.newGuest([...STORE_BYTE, ...SYSCALL]);
      const two = machine.newGuest([...STORE_BYTE, ...SYSCALL]);
      one.set("rax", 1);
      two.set("rax", 2);
      one.run();
      two.run();
      const { view } = machine.memory;
      assertEquals(view.getUint8(one.dataOffset), 1);
      assertEquals(view.getUint8(two.dataOffset), 2);
    },
  },
  {
    name: "map replaces what was there",
    run(machine) {
      const guest = machine.newGuest([...LOAD_BYTE, ...SYSCALL]);
      const other = machine.allocate(1);
      machine.memory.view.setUint8(other, 0x77);
      guest.space.map(DATA, PAGE, R, other, false);
      guest.run();
      assertEquals(guest.get("origRax"), 0x77n);
    },
  },
  {
    name: "unmap takes effect on a thread that is running",
    run(machine) {
      const guest = machine.newGuest(LOAD_LOOP);
      guest.resume();
      guest.space.unmap(DATA, PAGE);
      assertEquals(guest.space.flush(), 0);
      assertEquals(machine.nextStop().stopReason, StopReason.Fault);
      assertEquals(guest.context.faultAddress, DATA);
      assertEquals(guest.context.errorCode & 2, 0);
    },
  },
  {
    name: "protect takes effect on a thread that is running",
    run(machine) {
      const guest = machine.newGuest(STORE_LOOP);
      guest.set("rax", 1);
      guest.resume();
      guest.space.protect(DATA, PAGE, R);
      assertEquals(guest.space.flush(), 0);
      // From here on nothing may arrive.
      machine.memory.view.setUint8(guest.dataOffset, 0);
      assertEquals(machine.nextStop().stopReason, StopReason.Fault);
      assertEquals(guest.context.errorCode & 2, 2);
      assertEquals(machine.memory.view.getUint8(guest.dataOffset), 0);
    },
  },
  {
    name: "map is seen by a thread that is running",
    run(machine) {
      const guest = machine.newGuest(STORE_LOOP);
      const other = machine.allocate(1);
      guest.set("rax", 0x33);
      guest.resume();
      guest.space.map(DATA, PAGE, R | W, other, true);
      assertEquals(guest.space.flush(), 0);
      machine.memory.view.setUint8(guest.dataOffset, 0);
      guest.context.interrupt();
      machine.nextStop();
      guest.context.interrupt();
      guest.run();
      assertEquals(machine.memory.view.getUint8(guest.dataOffset), 0);
    },
  },
  {
    name: "pending requests are applied before the context resumes",
    run(machine) {
      const guest = machine.newGuest([...STORE_BYTE, ...SYSCALL]);
      assertEquals(guest.space.flush(), 0);
      guest.space.protect(DATA, PAGE, R);
      assertEquals(guest.run(), StopReason.Fault);
    },
  },
  {
    name: "rights are enforced one by one",
    run(machine) {
      const guest = machine.newGuest([...LOAD_BYTE, ...STORE_BYTE, ...SYSCALL]);
      guest.space.protect(DATA, PAGE, R | X);
      assertEquals(guest.run(), StopReason.Fault);
      assertEquals(guest.get("rip"), BigInt(CODE + LOAD_BYTE.length));
    },
  },
  {
    name: "populate allocates the pages of the memory file",
    run(machine) {
      const guest = machine.newGuest([...LOAD_BYTE, ...SYSCALL]);
      const pages = 64;
      const offset = machine.allocate(pages);
      guest.space.map(DATA, pages * PAGE, R | W, offset, true);
      assertEquals(guest.space.flush(), 0);
      const fdinfo = Deno.statSync(`/proc/self/fd/${machine.memory.fd}`);
      assert((fdinfo.blocks ?? 0) >= pages * PAGE / 512, "blocks");
    },
  },
  {
    name: "more requests than the table holds are applied in order",
    run(machine) {
      const guest = machine.newGuest([...LOAD_BYTE, ...SYSCALL]);
      const count = MEM_OPS_MAX * 2 + 17;
      const offset = machine.allocate(2);
      machine.memory.view.setUint8(offset, 1);
      machine.memory.view.setUint8(offset + PAGE, 2);
      // The two pages alternate, so that no request extends the one before.
      for (let i = 0; i < count; i++) {
        const page = offset + i % 2 * PAGE;
        guest.space.map(DATA + i * PAGE, PAGE, R, page, false);
      }
      assertEquals(guest.space.flush(), 0);
      for (const i of [0, 1, MEM_OPS_MAX, count - 1]) {
        guest.set("rip", CODE);
        guest.set("rsi", DATA + i * PAGE);
        guest.set("rax", 0);
        assertEquals(guest.run(), StopReason.Syscall);
        assertEquals(guest.get("origRax"), BigInt(1 + i % 2));
      }
    },
  },
  {
    name: "contiguous requests are one, others stay apart",
    run(machine) {
      const guest = machine.newGuest([...LOAD_BYTE, ...SYSCALL]);
      const offset = machine.allocate(4);
      for (let i = 0; i < 4; i++) {
        machine.memory.view.setUint8(offset + i * PAGE, 10 + i);
      }
      const { space } = guest;
      space.map(DATA, PAGE, R, offset, false);
      space.map(DATA + PAGE, PAGE, R, offset + PAGE, false); // extends
      space.map(DATA + 2 * PAGE, PAGE, R, offset, false); // offset jumps
      space.map(DATA + 3 * PAGE, PAGE, R | W, offset + PAGE, false); // rights
      space.unmap(DATA + 4 * PAGE, PAGE);
      const want = [10, 11, 10, 11];
      for (let i = 0; i < want.length; i++) {
        guest.set("rip", CODE);
        guest.set("rsi", DATA + i * PAGE);
        guest.set("rax", 0);
        assertEquals(guest.run(), StopReason.Syscall);
        assertEquals(guest.get("origRax"), BigInt(want[i]!));
      }
    },
  },
  {
    name: "the guest range is usable from end to end and no further",
    run(machine) {
      const { minAddress, maxAddress } = machine.platform.info;
      const guest = machine.newGuest([...LOAD_BYTE, ...SYSCALL]);
      const { space } = guest;
      space.map(minAddress, PAGE, R, guest.dataOffset, false);
      space.map(maxAddress - PAGE, PAGE, R, guest.dataOffset, false);
      assertEquals(space.flush(), 0);
      for (const address of [minAddress, maxAddress - PAGE]) {
        guest.set("rip", CODE);
        guest.set("rsi", address);
        assertEquals(guest.run(), StopReason.Syscall);
      }
      space.map(maxAddress, PAGE, R, guest.dataOffset, false);
      assertEquals(space.flush(), -EINVAL);
      space.unmap(maxAddress - PAGE, 2 * PAGE);
      assertEquals(space.flush(), -EINVAL);
      space.protect(maxAddress, PAGE, R | W | X);
      assertEquals(space.flush(), -EINVAL);
    },
  },
  {
    name: "a malformed request fails and changes nothing behind it",
    run(machine) {
      const guest = machine.newGuest([...LOAD_BYTE, ...SYSCALL]);
      const { space } = guest;
      assertEquals(space.flush(), 0);
      space.map(DATA + 1, PAGE, R, guest.dataOffset, false);
      space.unmap(DATA, PAGE);
      assertEquals(space.flush(), -EINVAL);
      assertEquals(space.flush(), 0, "told once");
      assertEquals(guest.run(), StopReason.Syscall, "DATA is still there");
    },
  },
  {
    name: "a request of 1 TiB is one request",
    run(machine) {
      const guest = machine.newGuest([...LOAD_BYTE, ...SYSCALL]);
      guest.space.map(0x1000_0000_0000, 2 ** 40, 0, 0, false);
      guest.space.unmap(0x1000_0000_0000, 2 ** 40);
      assertEquals(guest.space.flush(), 0);
      assertEquals(guest.run(), StopReason.Syscall);
    },
  },
  {
    name: "the guest can change nothing but its own pages",
    run(machine) {
      // Whatever the platform keeps in the space must survive a guest that
      // stores all over it.
      const { maxAddress } = machine.platform.info;
      const guest = machine.newGuest([...STORE_BYTE, ...SYSCALL]);
      guest.set("rax", 0xcc);
      for (let at = maxAddress; at < 2 ** 47; at += PAGE) {
        for (const address of [at, at + 8, at + PAGE - 1]) {
          guest.set("rip", CODE);
          guest.set("rdi", address);
          guest.run();
        }
      }
      guest.space.map(DATA, PAGE, R | W, machine.allocate(1), false);
      assertEquals(guest.space.flush(), 0);
      guest.set("rip", CODE);
      guest.set("rdi", DATA);
      assertEquals(guest.run(), StopReason.Syscall);
      guest.set("rip", CODE);
      guest.set("rdi", DATA + PAGE);
      assertEquals(guest.run(), StopReason.Fault);
      assertEquals(guest.context.faultAddress, DATA + PAGE);
    },
  },
];
