/**
 * The conformance suite on the systrap platform.
 * @module
 */

import { systrap } from "./systrap_plugin.ts";
import { describePlugin } from "./suite.ts";

describePlugin(systrap);
