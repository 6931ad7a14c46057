import assert from "node:assert/strict";
import { test } from "node:test";

import { readCell } from "../../comfygradio/ui/static/results/cell.js";
import {
  findPlaceOfAxis,
  isWanted,
  listShown,
  moveAxis,
  openShownPages,
  readKeptLayout,
  togglePosition,
} from "../../comfygradio/ui/static/results/layout.js";

const AXES = [
  { title: "Seed", labels: ["1", "2"] },
  { title: "Steps", labels: ["4", "5", "6"] },
  { title: "CFG", labels: ["7"] },
];

function makeLayout() {
  /** @type {import("../../comfygradio/ui/static/results/layout.js").Layout} */
  const layout = { rows: [1], columns: [2], pages: [0], at: {}, hidden: {}, show: "all" };
  return layout;
}

/**
 * @param {string} phase
 * @param {number} rating
 */
function makeCell(phase, rating = 0) {
  return readCell({ p: phase, k: rating }, () => {
    throw new Error("it has no results");
  });
}

test("an axis moves to another place, in the order of numbers", () => {
  const layout = makeLayout();
  assert.equal(findPlaceOfAxis(0, layout), "pages");
  moveAxis(0, "rows", layout);
  assert.deepEqual([layout.rows, layout.columns, layout.pages], [[0, 1], [2], []]);
  assert.equal(findPlaceOfAxis(0, layout), "rows");
  moveAxis(0, "rows", layout);
  assert.deepEqual(layout.rows, [0, 1]);
});

test("positions are hidden and shown again, but never the last one", () => {
  const layout = makeLayout();
  togglePosition(0, 0, AXES, layout);
  assert.deepEqual(listShown(0, AXES, layout), [1]);
  togglePosition(0, 1, AXES, layout);
  assert.deepEqual(listShown(0, AXES, layout), [1]);
  togglePosition(0, 0, AXES, layout);
  assert.deepEqual(listShown(0, AXES, layout), [0, 1]);
});

test("a page that is hidden gives way to one that is shown", () => {
  const layout = makeLayout();
  openShownPages(AXES, layout);
  assert.equal(layout.at[0], 0);
  togglePosition(0, 0, AXES, layout);
  openShownPages(AXES, layout);
  assert.equal(layout.at[0], 1);
  layout.hidden = {};
  openShownPages(AXES, layout);
  assert.equal(layout.at[0], 1);
});

test("cells are chosen by phase and by rating", () => {
  assert.equal(isWanted(makeCell("waiting"), "all"), true);
  assert.equal(isWanted(makeCell("done"), "done"), true);
  assert.equal(isWanted(makeCell("failed"), "done"), false);
  assert.equal(isWanted(makeCell("failed"), "failed"), true);
  assert.equal(isWanted(makeCell("done", -1), "kept"), false);
  assert.equal(isWanted(makeCell("waiting"), "kept"), true);
  assert.equal(isWanted(makeCell("done", 3), "3"), true);
  assert.equal(isWanted(makeCell("done", 3), "4"), false);
});

test("a layout that was kept comes back as it was", () => {
  const layout = { ...makeLayout(), at: { 0: 1 }, hidden: { 1: [0, 2] }, show: "kept" };
  assert.deepEqual(readKeptLayout(JSON.parse(JSON.stringify(layout)), AXES), layout);
  assert.deepEqual(readKeptLayout({ ...layout, sort: "best" }, AXES), { ...layout, sort: "best" });
});

test("a layout is kept only for the same axes, of which each has one place", () => {
  const layout = makeLayout();
  assert.equal(readKeptLayout(layout, AXES.slice(1)), null);
  assert.equal(readKeptLayout({ ...layout, rows: [0, 0], columns: [1], pages: [] }, AXES), null);
  assert.equal(readKeptLayout({ ...layout, rows: [0, 1], columns: [3], pages: [] }, AXES), null);
});

for (const kept of [null, 7, "x", [], {}, { rows: 1 }, { rows: [0], columns: [1] }]) {
  test(`${JSON.stringify(kept)} is no layout`, () => {
    assert.equal(readKeptLayout(kept, AXES), null);
  });
}

test("what is wrong in a layout is left out", () => {
  const layout = makeLayout();
  const hidden = { 0: [0, 1], 1: "x", 2: 7, 3: [0] };
  const wrong = { ...layout, at: 7, hidden, show: "all of it", sort: 3 };
  assert.deepEqual(readKeptLayout(wrong, AXES), layout);
  assert.deepEqual(readKeptLayout({ ...wrong, hidden: null }, AXES), layout);
  assert.equal(readKeptLayout({ ...layout, rows: ["1"] }, AXES), null);
});
