/**
 * What the systrap platform's operations cost: `deno bench -A` on this file.
 * @module
 */

import { benchPlugin } from "./benches.ts";
import { systrap } from "./systrap_plugin.ts";

benchPlugin(systrap);
