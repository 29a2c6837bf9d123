/**
 * The version of runsc, from its one source, deno.json.
 * @module
 */
import project from "../deno.json" with { type: "json" };

export const VERSION: string = project.version;
