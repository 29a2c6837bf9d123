import { assertEquals, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { CAP_KILL } from "../../kernel/abi/capability.ts";
import { RLIMIT_NOFILE } from "../../kernel/abi/resource.ts";
import { RuntimeError } from "../runtime_error.ts";
import { defaultSpec } from "./default_spec.ts";
import { planFromSpec } from "./oci_plan.ts";
import { parseSpec } from "./spec.ts";

function withBundle(test: (bundle: string) => void): void {
  const bundle = Deno.makeTempDirSync();
  try {
    Deno.mkdirSync(join(bundle, "rootfs"));
    test(bundle);
  } finally {
    Deno.removeSync(bundle, { recursive: true });
  }
}

function plan(bundle: string, change: Record<string, unknown> = {}) {
  const spec = { ...defaultSpec(["sh"], "/"), ...change };
  return planFromSpec(parseSpec(JSON.stringify(spec)), bundle, "box");
}

const PROCESS = { cwd: "/", args: ["sh"] };

Deno.test("planFromSpec() carries over what `spec` writes", () => {
  withBundle((bundle) => {
    const { mounts, trees, process, hostname } = plan(bundle);
    assertEquals(hostname, "runsc");
    assertEquals(trees, [
      { name: "root", source: join(bundle, "rootfs"), isReadOnly: true },
    ]);
    assertEquals(mounts.slice(0, 3).map(({ kind, target }) => [kind, target]), [
      ["gofer", "/"],
      ["proc", "/proc"],
      ["devtmpfs", "/dev"],
    ]);
    assertEquals(process.limits, [
      { resource: RLIMIT_NOFILE, soft: 1024, hard: 1024 },
    ]);
    assertEquals(process.capabilities.effective.includes(CAP_KILL), true);
    assertEquals(process.hasTerminal, true);
  });
});

Deno.test("planFromSpec() shares bind mounts through the file server", () => {
  withBundle((bundle) => {
    Deno.mkdirSync(join(bundle, "data"));
    const { mounts, trees } = plan(bundle, {
      mounts: [{ destination: "/d", source: "data", options: ["rbind", "ro"] }],
    });
    assertEquals(trees[1], {
      name: "mount0",
      source: join(bundle, "data"),
      isReadOnly: true,
    });
    const mount = mounts[1]!;
    assertEquals(mount.kind === "gofer" && mount.isShared, true);
  });
});

Deno.test("planFromSpec() refuses what it cannot honour, by name", () => {
  withBundle((bundle) => {
    const cases: [Record<string, unknown>, string][] = [
      [
        { mounts: [{ destination: "/x", type: "ext4", source: "/dev/sda" }] },
        'mounts[0].type: cannot mount "ext4"',
      ],
      [
        { mounts: [{ destination: "/x", type: "bind", source: "/nowhere" }] },
        "mounts[0].source: ",
      ],
      [
        { process: { ...PROCESS, capabilities: { effective: ["CAP_FLY"] } } },
        'process.capabilities.effective[0]: no such capability: "CAP_FLY"',
      ],
      [
        {
          process: {
            ...PROCESS,
            rlimits: [{ type: "RLIMIT_FUN", soft: 1, hard: 1 }],
          },
        },
        "process.rlimits[0].type: no such limit: RLIMIT_FUN",
      ],
      [{ process: { cwd: "/" } }, "process.args: it is missing"],
      [{ root: { path: "nowhere" } }, "root.path: "],
    ];
    for (const [change, message] of cases) {
      assertThrows(() => plan(bundle, change), RuntimeError, message);
    }
  });
});
