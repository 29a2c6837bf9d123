/**
 * The header generator: what it writes, what it refuses.
 * @module
 */

import { assertStringIncludes, assertThrows } from "@std/assert";
import { type HeaderField, renderHeader } from "./gen_header.ts";

function render(fields: Record<string, HeaderField>, size = 16): string {
  const layout = { name: "rsp_x", doc: "An x", size, fields };
  return renderHeader({ LAYOUTS: [layout], CONSTANTS: { BIG: 2 ** 40 } }, "x");
}

Deno.test("renderHeader() pads gaps and asserts every offset", () => {
  const text = render({
    a: { type: "u32", offset: 0 },
    b: { type: "u8", offset: 8, count: 4 },
  });
  assertStringIncludes(text, "uint8_t _pad4[4];\n\tuint8_t b[4];");
  assertStringIncludes(text, "_pad12[4]");
  assertStringIncludes(text, "sizeof(struct rsp_x) == 16");
  assertStringIncludes(text, "offsetof(struct rsp_x, b) == 8");
  assertStringIncludes(text, "#define RSP_BIG 1099511627776LL");
});

Deno.test("renderHeader() refuses a layout that contradicts itself", () => {
  const at = (type: HeaderField["type"], offset: number) => ({ type, offset });
  assertThrows(
    () => render({ a: at("u64", 0), b: at("u32", 4) }),
    RangeError,
    "rsp_x.b overlaps",
  );
  assertThrows(() => render({ a: at("u64", 4) }), RangeError, "misaligned");
  assertThrows(() => render({ a: at("u64", 16) }), RangeError, "exceeds");
  assertThrows(() => render({ a: at("u64", 0) }, 20), RangeError, "round up");
});
