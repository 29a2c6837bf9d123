import { assertEquals, assertThrows } from "@std/assert";
import { describeFlags, parseFlags } from "./flags.ts";
import { UsageError } from "./runtime_error.ts";

const FLAGS = {
  root: { kind: "string", help: "state directory", placeholder: "DIR" },
  debug: { kind: "bool", help: "say more" },
  tty: { kind: "bool", short: "t", help: "terminal" },
  interactive: { kind: "bool", short: "i", help: "keep stdin" },
  bundle: { kind: "string", short: "b", help: "bundle" },
  env: { kind: "list", short: "e", help: "environment" },
  count: { kind: "number", help: "how many" },
  format: { kind: "string", choices: ["json", "text"], help: "format" },
} as const;

function parse(...args: string[]) {
  return parseFlags(FLAGS, args, "first-argument");
}

Deno.test("parseFlags() takes --flag=v, --flag v, -f v and -flag", () => {
  assertEquals(parse("--root=/a=b").values.root, "/a=b");
  assertEquals(parse("--root", "/a").values.root, "/a");
  assertEquals(parse("-b", "x").values.bundle, "x");
  assertEquals(parse("-b=x").values.bundle, "x");
  assertEquals(parse("-debug").values.debug, true);
  assertEquals(parse("--debug=false").values.debug, false);
  assertEquals(parse("--count", "12").values.count, 12);
});

Deno.test("parseFlags() leaves what was not given undefined, false or empty", () => {
  assertEquals(parse().values, {
    root: undefined,
    debug: false,
    tty: false,
    interactive: false,
    bundle: undefined,
    env: [],
    count: undefined,
    format: undefined,
  });
});

Deno.test("parseFlags() splits a cluster of short switches", () => {
  const { values } = parse("-it");
  assertEquals([values.interactive, values.tty], [true, true]);
  assertThrows(() => parse("-ix"), UsageError, "unknown flag -ix");
});

Deno.test("parseFlags() collects a repeated list flag in order", () => {
  assertEquals(parse("-e", "A=1", "--env=B=2").values.env, ["A=1", "B=2"]);
});

Deno.test("parseFlags() stops at the first argument or at --", () => {
  assertEquals(parse("--debug", "ls", "--root", "/").rest, [
    "ls",
    "--root",
    "/",
  ]);
  assertEquals(parse("--", "--debug").rest, ["--debug"]);
  assertEquals(parse("-").rest, ["-"]);
  assertEquals(parse("sh", "--", "x").rest, ["sh", "--", "x"]);
});

Deno.test("parseFlags() finds flags behind arguments if it is told to", () => {
  const { values, rest } = parseFlags(
    FLAGS,
    ["id", "--debug", "--", "--tty"],
    "anywhere",
  );
  assertEquals([values.debug, values.tty], [true, false]);
  assertEquals(rest, ["id", "--tty"]);
});

Deno.test("parseFlags() names what is wrong", () => {
  const cases: [string[], string][] = [
    [["--nope"], "unknown flag --nope"],
    [["--nope=1"], "unknown flag --nope"],
    [["-n"], "unknown flag -n"],
    [["--constructor"], "unknown flag --constructor"],
    [["--root"], "flag --root needs a value"],
    [["--debug=maybe"], 'flag --debug takes true or false, not "maybe"'],
    [["--count=-1"], 'flag --count takes a number, not "-1"'],
    [["--format=xml"], 'flag --format takes json, text, not "xml"'],
  ];
  for (const [args, message] of cases) {
    assertThrows(() => parse(...args), UsageError, message);
  }
});

Deno.test("parseFlags() reports --help and -h wherever flags may stand", () => {
  assertEquals(parse("-h").wantsHelp, true);
  assertEquals(parse("--debug", "--help").wantsHelp, true);
  assertEquals(parse("ls", "--help").wantsHelp, false);
});

Deno.test("describeFlags() aligns the descriptions and hides the hidden", () => {
  const text = describeFlags({
    all: { kind: "bool", short: "a", help: "everything" },
    secret: { kind: "bool", help: "never shown", isHidden: true },
    user: { kind: "string", help: "who", placeholder: "UID" },
  });
  assertEquals(
    text,
    "  -a, --all       everything\n      --user UID  who",
  );
});
