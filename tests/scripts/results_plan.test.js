import assert from "node:assert/strict";
import { test } from "node:test";

import { readCell } from "../../comfygradio/ui/static/results/cell.js";
import { findInSight, findNeighbour, makePlan } from "../../comfygradio/ui/static/results/plan.js";

/** @import { Layout } from "../../comfygradio/ui/static/results/layout.js" */

const AXES = [
  { title: "Seed", labels: ["1", "2"] },
  { title: "Steps", labels: ["4", "5", "6"] },
];

/** The cells that are done, by number: rating and seconds. @type {Record<number, number[]>} */
const DONE = { 0: [1, 5], 2: [5, 9], 3: [-1, 2], 5: [0, 7] };

/** @param {number} at */
function getCell(at) {
  const done = DONE[at];
  const described = done ? { p: "done", k: done[0], s: done[1] } : null;
  return readCell(described, () => {
    throw new Error("it has no results");
  });
}

/**
 * @param {Partial<Layout>} changes
 * @param {number} width
 */
function plan(changes = {}, width = 1000) {
  const usual = { rows: [0], columns: [1], pages: [], at: {}, hidden: {}, show: "all" };
  const layout = { ...usual, ...changes };
  return makePlan({ axes: AXES, layout, getCell, width, size: 190, ratio: 2 });
}

test("two axes make rows and columns", () => {
  const made = plan();
  assert.equal(made.flows, false);
  assert.deepEqual(made.lines, [
    [0, 1, 2],
    [3, 4, 5],
  ]);
  assert.deepEqual(made.places.get(4), [1, 1]);
  assert.equal(made.cellHeight, 95);
  assert.deepEqual(plan({ rows: [1], columns: [0] }).lines, [
    [0, 3],
    [1, 4],
    [2, 5],
  ]);
});

test("a hidden position leaves its row out", () => {
  assert.deepEqual(plan({ hidden: { 1: [0] } }).lines, [
    [1, 2],
    [4, 5],
  ]);
});

test("rows and columns without anything that is wanted are left out", () => {
  assert.deepEqual(plan({ show: "4" }).lines, [[2]]);
  assert.deepEqual(plan({ show: "done" }).lines, [
    [0, 2],
    [3, 5],
  ]);
  assert.deepEqual(plan({ show: "failed" }).lines, []);
});

test("one axis alone makes lines that fill the width", () => {
  const made = plan({ rows: [], pages: [0], at: { 0: 1 } }, 400);
  assert.equal(made.flows, true);
  assert.deepEqual(made.lines, [[3, 4], [5]]);
  assert.equal(made.count, 2);
  assert.equal(made.cellWidth, 196);
  assert.deepEqual(made.named, [1]);
});

test("an order takes the cells of all pages", () => {
  const pages = { rows: [], columns: [1], pages: [0], at: { 0: 0 } };
  assert.deepEqual(plan({ ...pages, sort: "best" }).lines.flat(), [2, 0, 5, 3]);
  assert.deepEqual(plan({ ...pages, sort: "fast" }).lines.flat(), [3, 0, 5, 2]);
  assert.deepEqual(plan({ ...pages, sort: "slow" }).lines.flat(), [2, 5, 0, 3]);
  assert.deepEqual(plan({ ...pages, sort: "grid" }).lines.flat(), [0, 1, 2]);
  assert.deepEqual(plan({ ...pages, sort: "fast" }).named, [0, 1]);
});

test("on a phone the rows are named above them", () => {
  const made = plan({}, 358);
  assert.equal(made.isNarrow, true);
  assert.equal(made.side, 0);
  assert.ok(made.band > 0);
  assert.ok(plan().side > 0);
});

test("the arrow keys end at the edges of rows and columns", () => {
  const made = plan();
  assert.equal(findNeighbour(made, 1, 1, 0), 4);
  assert.equal(findNeighbour(made, 1, 0, 1), 2);
  assert.equal(findNeighbour(made, 2, 0, 1), null);
  assert.equal(findNeighbour(made, 3, 0, -1), null);
  assert.equal(findNeighbour(made, 0, -1, 0), null);
  assert.equal(findNeighbour(made, 99, 0, 1), null);
});

test("they go on from line to line", () => {
  const made = plan({ rows: [], columns: [0, 1] }, 400);
  assert.deepEqual(made.lines, [
    [0, 1],
    [2, 3],
    [4, 5],
  ]);
  assert.equal(findNeighbour(made, 1, 0, 1), 2);
  assert.equal(findNeighbour(made, 2, 0, -1), 1);
  assert.equal(findNeighbour(made, 0, 0, -1), null);
  assert.equal(findNeighbour(made, 5, 0, 1), null);
  assert.equal(findNeighbour(made, 1, 1, 0), 3);
});

test("only what is in sight is drawn", () => {
  assert.deepEqual(findInSight(0, 500, 100, 1000, 400), [0, 9]);
  assert.deepEqual(findInSight(5000, 500, 100, 1000, 400), [46, 59]);
  assert.deepEqual(findInSight(-50, 500, 100, 3, 400), [0, 3]);
});
