import assert from "node:assert/strict";
import { test } from "node:test";

import {
  addUp,
  combine,
  countStrides,
  findPositions,
  nameAxes,
  nameCombo,
  nameLabels,
} from "../../comfygradio/ui/static/results/space.js";

const AXES = [
  { title: "Seed", labels: ["1", "2"] },
  { title: "Steps", labels: ["4", "5", "6"] },
  { title: "Sampler", labels: ["euler", "ddim", "lcm", "uni"] },
];

test("the last axis runs fastest", () => {
  assert.deepEqual(countStrides(AXES), [12, 4, 1]);
  assert.deepEqual(countStrides([]), []);
});

test("a number and its positions are the same cell", () => {
  const strides = countStrides(AXES);
  for (let at = 0; at < 24; at += 1) {
    const combo = findPositions(at, AXES);
    assert.equal(addUp(combo, strides), at);
    assert.deepEqual(
      combo.map(([axis]) => axis),
      [0, 1, 2],
    );
  }
  assert.deepEqual(findPositions(23, AXES), [
    [0, 1],
    [1, 2],
    [2, 3],
  ]);
});

test("every position is combined with every other", () => {
  const all = combine([0, 1], (axis) => AXES[axis].labels.map((_, position) => position));
  assert.equal(all.length, 6);
  assert.deepEqual(all[1], [
    [0, 0],
    [1, 1],
  ]);
  assert.deepEqual(
    combine([], () => [1]),
    [[]],
  );
  assert.deepEqual(
    combine([0, 1], (axis) => (axis === 0 ? [] : [0])),
    [],
  );
});

test("positions have names", () => {
  const combo = findPositions(5, AXES);
  assert.equal(nameCombo(combo, AXES, ": "), "Seed: 1, Steps: 5, Sampler: ddim");
  assert.equal(nameLabels(combo, AXES), "1 · 5 · ddim");
  assert.equal(nameAxes([1, 0], AXES, " / "), "Steps / Seed");
});
