import { equal } from "node:assert/strict";
import test from "node:test";

import { explainEmpty, isNarrowed } from "../../comfygradio/ui/static/history/search_query.js";

const ALL = { text: "", preset: "", favourites: false, singles: false, deleted: false, values: {} };

test("a query for everything leaves nothing out", () => {
  equal(isNarrowed(ALL), false);
  equal(isNarrowed({ ...ALL, text: "  " }), false);
});

test("each part of a query leaves something out", () => {
  equal(isNarrowed({ ...ALL, text: " fox" }), true);
  equal(isNarrowed({ ...ALL, preset: "upscale" }), true);
  equal(isNarrowed({ ...ALL, favourites: true }), true);
  equal(isNarrowed({ ...ALL, singles: true }), true);
  equal(isNarrowed({ ...ALL, values: { seed: "1" } }), true);
});

test("why there is nothing depends on what was looked for", () => {
  equal(explainEmpty(ALL), "Nothing here yet. What you make appears here.");
  const text = "Nothing found. Try other words, or fewer filters.";
  equal(explainEmpty({ ...ALL, text: "fox" }), text);
});
