// The panels at the right.

import * as faults from "./faults.js";
import * as inspector from "./inspector.js";
import * as settings from "./settings.js";
import * as world from "./world.js";

/** In the order of their tabs. @type {import("./types.js").Panel[]} */
export const panels = [inspector, faults, settings, world];
