/**
 * The gate counts what the test runner reports.
 * @module
 */

import { assertEquals } from "@std/assert";
import { countTests } from "./ok.ts";

Deno.test("countTests() adds the suites of a report up", () => {
  const report = `<?xml version="1.0"?>
<testsuites name="deno test" tests="6" failures="1" errors="0" time="0.1">
  <testsuite name="a_test.ts" tests="4" disabled="1" errors="0" failures="1">
  </testsuite>
  <testsuite name="b_test.ts" tests="2" disabled="0" errors="0" failures="0"/>
</testsuites>`;
  assertEquals(countTests(report), { passed: 4, failed: 1, skipped: 1 });
});

Deno.test("countTests() finds nothing in an empty report", () => {
  assertEquals(countTests(""), { passed: 0, failed: 0, skipped: 0 });
});
