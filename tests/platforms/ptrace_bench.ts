/**
 * What the ptrace platform's operations cost: `deno bench -A` on this file.
 * @module
 */

import { benchPlugin } from "./benches.ts";
import { ptrace } from "./ptrace_plugin.ts";

benchPlugin(ptrace);
