import { deepEqual, equal } from "node:assert/strict";
import test from "node:test";

import {
  fitSide,
  hasRatio,
  reshape,
  splitSize,
} from "../../comfygradio/ui/static/form/size_sides.js";

const FREE = { low: null, high: null, step: 8, start: 0 };

test("a size is split at either sign", () => {
  deepEqual(splitSize("640x480"), { width: "640", height: "480" });
  deepEqual(splitSize("640×480"), { width: "640", height: "480" });
  deepEqual(splitSize("640x"), { width: "640", height: "" });
  deepEqual(splitSize(""), { width: "", height: "" });
  deepEqual(splitSize(null), { width: "", height: "" });
});

test("a side stands on the steps", () => {
  equal(fitSide(700, FREE), 704);
  equal(fitSide(699, FREE), 696);
  equal(fitSide(700, { ...FREE, step: 64, start: 16 }), 720);
});

test("a side stays within the limits, and is never less than a step without them", () => {
  equal(fitSide(3, FREE), 8);
  equal(fitSide(3, { ...FREE, low: 64 }), 64);
  equal(fitSide(3000, { ...FREE, high: 2048 }), 2048);
});

test("another ratio keeps the area", () => {
  deepEqual(reshape(128, 128, 16 / 9, FREE), { width: 168, height: 96 });
  deepEqual(reshape(168, 96, 1, FREE), { width: 128, height: 128 });
});

test("the usual area counts where no size is typed", () => {
  deepEqual(reshape(0, 0, 1, FREE), { width: 512, height: 512 });
  deepEqual(reshape(Number("no"), 64, 1, FREE), { width: 512, height: 512 });
});

test("a ratio may be off by a little", () => {
  equal(hasRatio(1344, 768, 16 / 9), true);
  equal(hasRatio(1024, 768, 4 / 3), true);
  equal(hasRatio(1024, 768, 1.5), false);
  equal(hasRatio(0, 0, 1), false);
});
