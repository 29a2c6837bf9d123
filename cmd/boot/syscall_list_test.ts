import { assertEquals, assertStringIncludes } from "@std/assert";
import { formatSyscalls, syscallRows } from "./syscall_list.ts";

const ROWS = [
  { number: 0, name: "read", support: "full", note: "" },
  { number: 9, name: "odd", support: "partial", note: 'no "x", y' },
] as const;

Deno.test("syscallRows() lists every call of the architecture once", () => {
  const rows = syscallRows();
  assertEquals(new Set(rows.map(({ number }) => number)).size, rows.length);
  const read = rows.find(({ name }) => name === "read");
  assertEquals(read, { number: 0, name: "read", support: "full", note: "" });
});

Deno.test("formatSyscalls() quotes what CSV needs quoted", () => {
  assertEquals(
    formatSyscalls(ROWS, "csv"),
    'number,name,support,note\n0,read,full,\n9,odd,partial,"no ""x"", y"',
  );
});

Deno.test("formatSyscalls() counts below the table", () => {
  assertStringIncludes(
    formatSyscalls(ROWS, "table"),
    "\n1 full, 1 partial, 0 not there",
  );
  assertEquals(JSON.parse(formatSyscalls(ROWS, "json")), [...ROWS]);
});
