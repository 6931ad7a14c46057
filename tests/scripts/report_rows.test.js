import { deepEqual, equal } from "node:assert/strict";
import test from "node:test";

import { sortRows } from "../../comfygradio/ui/static/form/report_rows.js";
import { nameSame } from "../../comfygradio/ui/static/library/words.js";

test("rows are sorted by what people can do with them", () => {
  const other = { name: "steps", state: "found", same: false };
  const known = { name: "seed", state: "found", same: true };
  const gone = { name: "model", state: "missing", same: false };
  deepEqual(sortRows([gone, other, known]), { differing: [other], missing: [gone], same: 1 });
  deepEqual(sortRows([]), { differing: [], missing: [], same: 0 });
});

test("settings that are the same are counted", () => {
  equal(nameSame(1), "1 setting is the same in both.");
  equal(nameSame(3), "3 settings are the same in both.");
});
