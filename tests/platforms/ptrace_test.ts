/**
 * The conformance suite on the ptrace platform.
 * @module
 */

import { ptrace } from "./ptrace_plugin.ts";
import { describePlugin } from "./suite.ts";

describePlugin(ptrace);
