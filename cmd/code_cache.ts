/**
 * Makes a bundle's code cache: runs its top level, as every start does, and
 * writes down what V8 compiled for that. A start that finds the cache spares
 * itself the parsing. V8 refuses a cache that was made by another version, with
 * other flags or for another text, and then simply compiles.
 *
 *   deno run --v8-flags=(those of the program) cmd/code_cache.ts BUNDLE CACHE
 * @module
 */
import { Script } from "node:vm";

const [bundle, cache] = Deno.args;
if (bundle === undefined || cache === undefined) {
  throw new TypeError("Two arguments: the bundle and its cache");
}
const script = new Script(Deno.readTextFileSync(bundle), { filename: bundle });
const module = { exports: {} };
script.runInThisContext()(module, module.exports, import.meta.url);
Deno.writeFileSync(cache, script.createCachedData());
Deno.exit(0);
