/**
 * Numbers as proc writes and reads them.
 * @module
 */
import { assertEquals } from "@std/assert";
import { EINVAL } from "../../abi/errno.ts";
import { Clock } from "../../time/clock.ts";
import { MemoryManager } from "../../mm/memory_manager.ts";
import { FakeHostClock } from "../fake_caller.ts";
import { cpuList, cpuMask } from "../kernfs/cpu_mask.ts";
import {
  escape,
  hex64,
  hundredths,
  kilobytes,
  ticks,
  unsigned64,
} from "./format.ts";
import { numberOf, parseInteger } from "./parse.ts";
import { ResidentMemory } from "./resident_memory.ts";

Deno.test("format: numbers as the kernel prints them", () => {
  assertEquals(hex64(-1, 1), "00000001ffffffff");
  assertEquals(unsigned64(Infinity), "18446744073709551615");
  assertEquals(kilobytes("VmRSS:\t", 2048 * 1024), "VmRSS:\t    2048 kB\n");
  assertEquals(hundredths(12_345_678_901), "12.34");
  assertEquals(hundredths(50_000_000), "0.05");
  assertEquals(ticks(19_999_999), 1);
  assertEquals(escape("a b\\c\n", " \n\\"), "a\\040b\\134c\\012");
});

Deno.test("cpuMask() and cpuList() show sets of any size", () => {
  assertEquals(cpuMask(1, null), "1");
  assertEquals(cpuMask(6, null), "3f");
  assertEquals(cpuMask(36, null), "f,ffffffff");
  assertEquals(cpuMask(8, Uint8Array.of(1)), "01");
  assertEquals(cpuMask(40, Uint8Array.of(0, 0, 0, 0x80, 2)), "02,80000000");
  assertEquals(cpuList(1, null), "0");
  assertEquals(cpuList(64, null), "0-63");
  assertEquals(cpuList(16, Uint8Array.of(0b1011_0001, 1)), "0,4-5,7-8");
  assertEquals(cpuList(4, Uint8Array.of(0)), "");
});

Deno.test("parseInteger() takes what kstrtoint() takes", () => {
  for (
    const [text, value] of [
      ["5", 5],
      [" -7\n", -7],
      ["+3", 3],
      ["0x1F", 31],
      ["017", 15],
      ["0", 0],
      ["999999999999999", 999999999999999],
    ] as const
  ) assertEquals(parseInteger(text), value, text);
  for (
    const text of ["", "\n", "1 2", "08", "0x", "1.5", "1e3", "--1", "abc"]
  ) assertEquals(parseInteger(text), EINVAL, text);
});

Deno.test("numberOf() takes the one way to write a number", () => {
  assertEquals(numberOf("0"), 0);
  assertEquals(numberOf("4194304"), 4194304);
  for (const name of ["", "00", "01", "-1", "+1", "1a", "self", "1 "]) {
    assertEquals(numberOf(name), -1, name);
  }
});

Deno.test("ResidentMemory asks again in proportion to what asking costs", () => {
  const clock = new FakeHostClock();
  let asked = 0;
  const memory: MemoryManager = Object.create(MemoryManager.prototype);
  memory.totals = () => {
    clock.nowNs += 1000;
    return {
      totalBytes: 0,
      peakTotalBytes: 0,
      residentBytes: ++asked,
      peakResidentBytes: 0,
      dataBytes: 0,
      stackBytes: 0,
      execBytes: 0,
      lockedBytes: 0,
    };
  };
  const resident = new ResidentMemory(new Clock(clock));
  assertEquals(resident.bytesOf(memory), 1);
  clock.nowNs += 19_999;
  assertEquals(resident.bytesOf(memory), 1);
  clock.nowNs += 1;
  assertEquals(resident.bytesOf(memory), 2);
});
