/** `runsc run`: the container of an OCI bundle. */
import { assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { defaultSpec } from "../../cmd/oci/default_spec.ts";
import { runsc } from "./command.ts";

/** A bundle on this host's files; `change` replaces parts of the spec. */
async function withBundle(
  change: Record<string, unknown>,
  test: (bundle: string) => Promise<void>,
  args: readonly string[] = ["true"],
): Promise<void> {
  const bundle = await Deno.makeTempDir();
  try {
    const spec = defaultSpec(args, "/");
    const merged = {
      ...spec,
      root: { path: "/", readonly: true },
      process: { ...spec.process, terminal: false },
      ...change,
    };
    await Deno.writeTextFile(
      join(bundle, "config.json"),
      JSON.stringify(merged),
    );
    await test(bundle);
  } finally {
    await Deno.remove(bundle, { recursive: true });
  }
}

function run(bundle: string) {
  return runsc(["run", "--bundle", bundle, "box"]);
}

Deno.test("run gives the program what config.json says", async () => {
  const script = "hostname; ulimit -n; grep CapEff /proc/self/status;" +
    " touch /x 2>/dev/null || echo read-only; exit 7";
  await withBundle({}, async (bundle) => {
    assertEquals(await run(bundle), {
      code: 7,
      stdout: "runsc\n1024\nCapEff:\t0000000020000420\nread-only\n",
      stderr: "",
    });
  }, ["bash", "-c", script]);
});

Deno.test("run mounts, masks and protects paths", async () => {
  const script = "ls -d /dev/pts/ptmx /dev/shm /dev/null;" +
    " ls /sys/firmware; echo 1 > /proc/sys/kernel/hostname || echo protected";
  await withBundle({}, async (bundle) => {
    const { stdout } = await run(bundle);
    assertEquals(stdout, "/dev/null\n/dev/pts/ptmx\n/dev/shm\nprotected\n");
  }, ["bash", "-c", script]);
});

Deno.test("run shares bind mounts with the host", async () => {
  const dir = await Deno.makeTempDir();
  try {
    await withBundle({
      mounts: [
        { destination: "/data", type: "bind", source: dir, options: ["rbind"] },
      ],
    }, async (bundle) => {
      assertEquals((await run(bundle)).code, 0);
      assertEquals(await Deno.readTextFile(join(dir, "x")), "in\n");
    }, ["sh", "-c", "echo in > /data/x"]);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("run names what is wrong with a bundle", async () => {
  const process = { cwd: "/", args: ["true"] };
  const cases: [Record<string, unknown>, number, RegExp][] = [
    [{ root: { path: "none" } }, 66, /^runsc: config.json: root.path: /],
    [
      { process: { ...process, args: "true" } },
      65,
      /^runsc: config.json: process.args: expected an array, not "true"\n$/,
    ],
    [
      { process: { ...process, args: ["/nowhere"] } },
      127,
      /^runsc: \/nowhere: executable file not found: /,
    ],
    [
      { process: { ...process, cwd: "/nowhere" } },
      66,
      /^runsc: working directory \/nowhere: no such file or directory\n$/,
    ],
    [
      { mounts: [{ destination: "/x", type: "ext4" }] },
      65,
      /^runsc: config.json: mounts\[0\].type: cannot mount "ext4"\n$/,
    ],
  ];
  for (const [change, status, message] of cases) {
    await withBundle(change, async (bundle) => {
      const { code, stderr } = await run(bundle);
      assertMatch(stderr, message);
      assertEquals(code, status);
    });
  }
  const { code } = await runsc(["run", "--bundle", "/nowhere", "box"]);
  assertEquals(code, 66);
});

Deno.test("run refuses a name that no container may have", async () => {
  for (const id of ["", "a/b", ".."]) {
    const { code, stderr } = await runsc(["run", id]);
    assertEquals([code, stderr], [64, `runsc: not a container ID: "${id}"\n`]);
  }
});
