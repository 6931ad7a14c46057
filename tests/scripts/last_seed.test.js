// The seed that the button beside a seed puts into its box.

import { equal } from "node:assert/strict";
import test from "node:test";

import { keepLastSeed, readLastSeed } from "../../comfygradio/ui/static/job/last_seed.js";

test("a form has the seed of its own last picture, else that of the last of any form", () => {
  equal(readLastSeed("paint"), "");
  keepLastSeed("paint", "1");
  keepLastSeed("enlarge", "2");
  equal(readLastSeed("paint"), "1");
  equal(readLastSeed("enlarge"), "2");
  equal(readLastSeed("inpaint"), "2");
});

test("a picture without a seed changes nothing", () => {
  keepLastSeed("paint", "1");
  keepLastSeed("paint", "");
  keepLastSeed("upscale", "");
  equal(readLastSeed("paint"), "1");
  equal(readLastSeed("upscale"), "1");
});
