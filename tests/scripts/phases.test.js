import { equal } from "node:assert/strict";
import test from "node:test";

import { isOver } from "../../comfygradio/ui/static/library/phases.js";

test("a job is over when it ended, however it ended", () => {
  for (const phase of ["done", "failed", "stopped"]) equal(isOver({ phase }), true, phase);
  for (const phase of ["waiting", "running", "stopping"]) equal(isOver({ phase }), false, phase);
});
