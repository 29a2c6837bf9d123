/**
 * Bundles and a state root of its own for a test of the container verbs.
 * @module
 */
import { join } from "@std/path";
import { defaultSpec } from "../../cmd/oci/default_spec.ts";
import { type CommandResult, runsc } from "../cmd/command.ts";

/** A container that a test makes: removed in the end, whatever happens. */
export class TestContainer implements AsyncDisposable {
  readonly id = "box";
  readonly directory = Deno.makeTempDirSync();
  readonly root = join(this.directory, "root");

  /** A bundle on this host's files; `change` replaces parts of the spec. */
  constructor(args: readonly string[], change: Record<string, unknown> = {}) {
    const spec = defaultSpec(args, "/");
    Deno.writeTextFileSync(
      join(this.directory, "config.json"),
      JSON.stringify({
        ...spec,
        root: { path: "/", readonly: true },
        process: { ...spec.process, terminal: false },
        ...change,
      }),
    );
  }

  path(name: string): string {
    return join(this.directory, name);
  }
  read(name: string): string {
    return Deno.readTextFileSync(this.path(name));
  }

  /** `runsc --root ROOT args...` */
  runsc(...args: string[]): Promise<CommandResult> {
    return runsc(["--root", this.root, ...args]);
  }

  /** Creates it as an engine does: output to files, since what the container
   * inherits would hold pipes open. */
  async create(...flags: string[]): Promise<CommandResult> {
    return await this.toFiles(
      "create",
      "--bundle",
      this.directory,
      ...flags,
      this.id,
    );
  }

  /** A verb whose standard output is the file "out", and error "err". */
  async toFiles(...args: string[]): Promise<CommandResult> {
    const quoted = (word: string) => `'${word.replaceAll("'", "'\\''")}'`;
    const { RUNSC } = await import("../cmd/command.ts");
    const command = [...RUNSC, "--root", this.root, ...args].map(quoted);
    const { code } = await new Deno.Command("/bin/sh", {
      args: ["-c", `${command.join(" ")} </dev/null >>out 2>>err`],
      cwd: this.directory,
    }).output();
    return { code, stdout: this.read("out"), stderr: this.read("err") };
  }

  async status(): Promise<string> {
    const { code, stdout } = await this.runsc("state", this.id);
    return code === 0 ? JSON.parse(stdout).status : "absent";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.runsc("delete", "--force", this.id);
    Deno.removeSync(this.directory, { recursive: true });
  }
}
