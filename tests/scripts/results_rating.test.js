import assert from "node:assert/strict";
import { test } from "node:test";

import {
  findRating,
  nameRating,
  readKeptRatings,
  toggleRejected,
  writeMark,
} from "../../comfygradio/ui/static/results/rating.js";

test("digits and x are ratings", () => {
  assert.equal(findRating("4", 0), 4);
  assert.equal(findRating("0", 3), 0);
  assert.equal(findRating("x", 3), -1);
  assert.equal(findRating("x", -1), 0);
  for (const key of ["6", "Enter", "", "10", "X"]) assert.equal(findRating(key, 0), null);
});

test("only ratings that were kept are ratings", () => {
  const kept = { 0: 3, 2: -1, 3: 0, 4: 6, 5: "2", 6: null };
  assert.deepEqual(readKeptRatings(kept), { 0: 3, 2: -1, 3: 0 });
  for (const wrong of [null, 7, "x", [3]]) assert.deepEqual(readKeptRatings(wrong), {});
});

test("a rating is named and drawn", () => {
  assert.deepEqual([-1, 0, 1, 3].map(nameRating), ["rejected", "", "1 star", "3 stars"]);
  assert.deepEqual([-1, 0, 2].map(writeMark), ["Rejected", "", "★★"]);
  assert.deepEqual([-1, 0, 5].map(toggleRejected), [0, -1, -1]);
});
