import { assertEquals } from "@std/assert";
import { VDSO_PAGE, type VdsoParams, writeVdsoPage } from "./vdso_page.ts";

const PARAMS: VdsoParams = {
  mode: 1,
  tscLow: 0xfedcba98,
  tscHigh: 0x1234,
  mult: 0xffffffff,
  shift: 31,
  monotonicSec: 86400,
  monotonicNsec: 999_999_999,
  realtimeSec: -3,
  realtimeNsec: 7,
  boottimeSec: 0,
  boottimeNsec: 1,
};

Deno.test("writeVdsoPage() stores each field at its offset", () => {
  const view = new DataView(new ArrayBuffer(256));
  writeVdsoPage(view, 64, PARAMS);
  const at = (name: keyof typeof VDSO_PAGE.fields) =>
    64 + VDSO_PAGE.fields[name].offset;
  assertEquals(view.getUint32(at("mode"), true), 1);
  assertEquals(view.getBigUint64(at("tscBase"), true), 0x1234fedcba98n);
  assertEquals(view.getUint32(at("mult"), true), 0xffffffff);
  assertEquals(view.getUint32(at("shift"), true), 31);
  assertEquals(view.getBigInt64(at("monotonicSec"), true), 86400n);
  assertEquals(view.getBigInt64(at("monotonicNsec"), true), 999_999_999n);
  assertEquals(view.getBigInt64(at("realtimeSec"), true), -3n);
  assertEquals(view.getBigInt64(at("realtimeNsec"), true), 7n);
  assertEquals(view.getBigInt64(at("boottimeNsec"), true), 1n);
});

Deno.test("writeVdsoPage() leaves an even count that has moved on", () => {
  const view = new DataView(new ArrayBuffer(VDSO_PAGE.size));
  for (const [before, after] of [[0, 2], [2, 4], [3, 4], [0xffffffff, 0]]) {
    view.setUint32(0, before ?? 0, true);
    writeVdsoPage(view, 0, PARAMS);
    assertEquals(view.getUint32(0, true), after);
  }
});
