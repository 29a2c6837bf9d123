/**
 * Medians and tables of benchmark results.
 * @module
 */
import { assertEquals } from "@std/assert";
import { formatTable, median, parseResults } from "./results.ts";

Deno.test("median() is the middle one, or between the middle two", () => {
  assertEquals(median([9, 1, 5]), 5);
  assertEquals(median([4, 1, 10, 2]), 3);
});

Deno.test("parseResults() skips other lines and metrics without samples", () => {
  const line = (metric: string, rest: string) =>
    `{"runtime":"r","bench":"b","metric":"${metric}","unit":"ms",${rest}}`;
  assertEquals(
    parseResults(
      `noise\n${line("m", '"n":1,"median":2.5,"min":2,"max":3')}\n${
        line("none", '"n":0,"error":"no sample"')
      }\n`,
    ),
    [{ runtime: "r", bench: "b", metric: "m", unit: "ms", median: 2.5 }],
  );
});

Deno.test("formatTable() shows medians and ratios, and what is missing", () => {
  const result = (runtime: string, metric: string, median: number) => ({
    runtime,
    bench: "syscall",
    metric,
    unit: "ns",
    median,
  });
  const table = formatTable([
    result("ours", "getpid", 100),
    result("ours", "getpid", 300),
    result("peer", "getpid", 1000),
    result("peer", "tcp", 12345.6),
  ], ["ours", "peer"]);
  assertEquals(
    table,
    `| median | ours | peer | ratio |
| --- | ---: | ---: | ---: |
| syscall getpid, ns | 200 | 1000 | 0.20 |
| syscall tcp, ns | - | 12346 | - |`,
  );
});
