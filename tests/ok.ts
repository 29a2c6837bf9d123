/**
 * `deno task ok`: the gate. Runs every check that a change must pass, in the
 * order in which failures are cheapest to mend, and ends with the line
 * `N passed, N failed`, which counts tests and the checks before them.
 * @module
 */

import { print } from "../ffi/say.ts";

/** A check: arguments of this very Deno. */
interface Step {
  readonly name: string;
  readonly args: readonly string[];
}

/** A run of tests, with the report that it writes. */
interface TestStep extends Step {
  readonly report: string;
}

const STEPS: readonly Step[] = [
  { name: "format", args: ["fmt", "--check"] },
  { name: "lint", args: ["lint"] },
  { name: "generated files", args: ["task", "-q", "gen", "--check"] },
  { name: "native build", args: ["task", "-q", "build"] },
  { name: "types", args: ["check", "."] },
];

/** Tests of containers adopt orphans, as engines do; others count their own
 * process's children, so they run in another. */
const TESTS: readonly TestStep[] = [
  testStep("tests", "build/junit.xml", ["--ignore=tests/oci"]),
  testStep("container tests", "build/junit_oci.xml", ["tests/oci"]),
];

function testStep(
  name: string,
  report: string,
  which: readonly string[],
): TestStep {
  const junit = `--junit-path=${report}`;
  return { name, report, args: ["test", "-A", "--no-check", junit, ...which] };
}

/** Runs the step with our own output; true if it succeeded. */
async function run({ name, args }: Step): Promise<boolean> {
  const start = performance.now();
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  }).spawn().status;
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  print(`${success ? "ok    " : "FAILED"} ${name} (${seconds} s)`);
  return success;
}

interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** Sums of the test suites in a JUnit report; throws if there is none. */
export function countTests(report: string): Counts {
  let passed = 0;
  let failed = 0;
  let skipped = 0;
  for (const [tag] of report.matchAll(/<testsuite\s[^>]*>/g)) {
    const number = (name: string) =>
      Number(new RegExp(`\\b${name}="(\\d+)"`).exec(tag)?.[1] ?? "0");
    const bad = number("failures") + number("errors");
    const off = number("disabled") + number("skipped");
    failed += bad;
    skipped += off;
    passed += number("tests") - bad - off;
  }
  return { passed, failed, skipped };
}

async function main(): Promise<number> {
  let checksPassed = 0;
  let checksFailed = 0;
  for (const step of STEPS) {
    if (await run(step)) checksPassed++;
    else checksFailed++;
  }
  Deno.mkdirSync("build", { recursive: true });
  let [passed, failed, skipped] = [checksPassed, checksFailed, 0];
  let testsPassed = 0;
  for (const step of TESTS) {
    Deno.writeTextFileSync(step.report, "");
    const isGood = await run(step);
    const counts = countTests(Deno.readTextFileSync(step.report));
    testsPassed += counts.passed;
    skipped += counts.skipped;
    // A run that died before it wrote its report has failed all the same.
    failed += !isGood && counts.failed === 0 ? 1 : counts.failed;
  }
  passed += testsPassed;
  const tail = skipped === 0 ? "" : `, ${skipped} skipped`;
  print(`${passed} passed, ${failed} failed${tail}`);
  return failed === 0 && testsPassed > 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main());
