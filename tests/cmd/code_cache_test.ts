/**
 * The code cache of the bundles, as the processes of a sandbox find it: in a
 * directory that they can only read.
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { bundleAll, makeFast, PROJECT } from "../../cmd/bundle.ts";
import { LIST_SYSCALLS } from "../../cmd/boot/boot_spec.ts";
import { CODE_CACHE, v8Flags } from "../../cmd/sandbox/own_programs.ts";
import { DescriptorMaker } from "../../ffi/files.ts";
import { Spawner } from "../../ffi/spawn.ts";

const POLLIN = 1;
const BUILD = `${PROJECT}build`;

/** What Deno says about its caches when it starts the kernel's bundle. */
function startLog(flags: readonly string[]): string {
  using spawner = new Spawner();
  using descriptors = new DescriptorMaker();
  const nothing = descriptors.open("/dev/null", 2);
  const [reader, writer] = descriptors.pipe();
  const cache = `${BUILD}/${CODE_CACHE}`;
  const child = spawner.spawn({
    path: Deno.execPath(),
    args: [
      "deno",
      "run",
      "--log-level=debug",
      "--allow-all",
      "--no-config",
      ...flags,
      `${BUILD}/boot.js`,
      LIST_SYSCALLS,
      "json",
    ],
    env: { DENO_DIR: cache, DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" },
    fds: [nothing, nothing, writer],
    namespaces: ["user", "mount"],
    uidMap: [{ inside: 0, outside: Deno.uid() ?? 0, count: 1 }],
    gidMap: [{ inside: 0, outside: Deno.gid() ?? 0, count: 1 }],
    denySetgroups: true,
    protectedDirectory: cache,
  });
  descriptors.close(writer);
  const decoder = new TextDecoder();
  const chunk = new Uint8Array(65536);
  let log = "";
  while (descriptors.poll(reader, POLLIN, -1) !== 0) {
    const count = descriptors.read(reader, chunk);
    if (count <= 0) break;
    log += decoder.decode(chunk.subarray(0, count), { stream: true });
  }
  assertEquals(spawner.wait(child.pidfd, -1), { exitCode: 0 });
  spawner.close(child.pidfd);
  descriptors.close(reader);
  descriptors.close(nothing);
  return log;
}

/** Deno made the code anew, since the cache had none that fits. */
const COMPILED_ANEW = /Updating V8 code cache for script: \S*runsc\/boot/;

Deno.test("makeCodeCache() makes one that a read-only start uses", async () => {
  await bundleAll();
  await makeFast();
  assert(!COMPILED_ANEW.test(startLog(v8Flags("boot"))));
});

Deno.test("a code cache made with other flags of V8 is not used", () => {
  const log = startLog(["--v8-flags=--no-lazy-feedback-allocation"]);
  assert(COMPILED_ANEW.test(log), log.slice(0, 2000));
});
