/**
 * The config.json of a bundle.
 * @module
 */
import { join } from "@std/path";
import { ExitStatus } from "../exit_status.ts";
import { type OciSpec, parseSpec } from "../oci/spec.ts";
import { messageOf, RuntimeError } from "../runtime_error.ts";

/** Reads and checks it. Throws a RuntimeError. */
export function readConfig(bundle: string): OciSpec {
  const path = join(bundle, "config.json");
  let json: string;
  try {
    json = Deno.readTextFileSync(path);
  } catch (thrown) {
    const status = thrown instanceof Deno.errors.NotFound
      ? ExitStatus.NoInput
      : ExitStatus.NoPermission;
    throw new RuntimeError(status, `${path}: ${messageOf(thrown)}`);
  }
  return parseSpec(json);
}
