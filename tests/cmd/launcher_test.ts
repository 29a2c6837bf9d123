/**
 * build/runsc, the file that people and engines name.
 * @module
 */
import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { PROJECT } from "../../cmd/bundle.ts";
import { nativePath } from "../../ffi/library.ts";

/** A directory with the launcher, and perhaps a Deno. */
class Installed implements Disposable {
  readonly dir = Deno.makeTempDirSync();
  constructor(deno: string | null) {
    Deno.copyFileSync(nativePath("runsc"), join(this.dir, "runsc"));
    if (deno === null) return;
    Deno.writeTextFileSync(join(this.dir, "deno_path"), deno);
  }
  async run(path: string, args: string[]) {
    const { code, stdout, stderr } = await new Deno.Command(path, { args })
      .output();
    const decoder = new TextDecoder();
    return [code, decoder.decode(stdout), decoder.decode(stderr)];
  }
  [Symbol.dispose](): void {
    Deno.removeSync(this.dir, { recursive: true });
  }
}

Deno.test("build/runsc passes every argument behind its options", async () => {
  using installed = new Installed("/bin/echo");
  const { dir } = installed;
  const bundle = join(dir, "runsc.js");
  const options = "-q -A --no-prompt --no-code-cache --no-config --no-remote" +
    " --no-npm";
  assertEquals(await installed.run(join(dir, "runsc"), ["do", "", "a b"]), [
    0,
    `run ${options} ${bundle} do  a b\n`,
    "",
  ]);
});

Deno.test("build/runsc finds its bundle when a link is run", async () => {
  using installed = new Installed("/bin/echo");
  const link = join(installed.dir, "other name");
  Deno.symlinkSync(join(installed.dir, "runsc"), link);
  const [code, out] = await installed.run(link, []);
  assertEquals(code, 0);
  assertEquals(String(out).endsWith(` ${installed.dir}/runsc.js\n`), true);
});

Deno.test("build/runsc passes the environment on", async () => {
  using installed = new Installed(null);
  const { dir } = installed;
  const deno = join(dir, "deno");
  Deno.writeTextFileSync(deno, "#!/bin/sh\necho $A-$B\n", { mode: 0o755 });
  Deno.writeTextFileSync(join(dir, "deno_path"), deno);
  const { stdout } = await new Deno.Command(join(dir, "runsc"), {
    clearEnv: true,
    env: { A: "1", B: "2" },
  }).output();
  assertEquals(new TextDecoder().decode(stdout), "1-2\n");
});

Deno.test("build/runsc says what is missing", async () => {
  using empty = new Installed(null);
  assertEquals(await empty.run(join(empty.dir, "runsc"), []), [
    69,
    "",
    "runsc: it is not installed, or not built (deno task bundle)\n",
  ]);
  using dangling = new Installed("/no/such/deno");
  assertEquals(await dangling.run(join(dangling.dir, "runsc"), []), [
    69,
    "",
    "runsc: the Deno that it was built with is gone\n",
  ]);
});

Deno.test("bundles come with the path of the Deno that made them", () => {
  const text = Deno.readTextFileSync(join(PROJECT, "build", "deno_path"));
  assertEquals(Deno.statSync(text).isFile, true);
});
