import assert from "node:assert/strict";
import { test } from "node:test";
import { readName } from "../../comfygradio/ui/static/sweep/downloads.js";
import {
  changeField,
  listFree,
  makeEntry,
  readKeptDraft,
  toggleText,
} from "../../comfygradio/ui/static/sweep/draft.js";
import { explain } from "../../comfygradio/ui/static/sweep/plan_panel.js";
import { countPercent, isAtRest } from "../../comfygradio/ui/static/sweep/sweep_progress.js";

/** @param {string} name */
function makeField(name, more = {}) {
  const field = { name, label: name, help: "", takes: "", choices: 0, accept: "" };
  return { ...field, now: "", suggested: "", ...more };
}

const STEPS = makeField("steps", { now: "20", suggested: "10, 20" });
const CFG = makeField("cfg", { now: "7" });

test("a field that has an axis is offered nowhere else", () => {
  const entry = { ...makeEntry(), field: "steps" };
  const axes = [[entry], [makeEntry()]];
  assert.deepEqual(listFree([STEPS, CFG], axes, entry), [STEPS, CFG]);
  assert.deepEqual(listFree([STEPS, CFG], axes, axes[1][0]), [CFG]);
});

test("what was proposed gives way to what the next field proposes", () => {
  const entry = makeEntry();
  changeField(entry, undefined, STEPS);
  assert.deepEqual(entry, { field: "steps", text: "10, 20" });
  changeField(entry, STEPS, CFG);
  assert.deepEqual(entry, { field: "cfg", text: "7" });
  changeField(entry, CFG, undefined);
  assert.deepEqual(entry, { field: "", text: "" });
});

test("what was typed stays", () => {
  const entry = { field: "cfg", text: "1-7" };
  changeField(entry, CFG, STEPS);
  assert.deepEqual(entry, { field: "steps", text: "1-7" });
});

test("ticks add values and take them away", () => {
  assert.deepEqual(toggleText(["a"], "b", true), ["a", "b"]);
  assert.deepEqual(toggleText(["a", "b"], "b", true), ["a", "b"]);
  assert.deepEqual(toggleText(["a", "b"], "a", false), ["b"]);
});

test("a draft without a plan says why", () => {
  assert.equal(explain({ error: "Too many.", axes: [] }), "");
  assert.equal(explain({ axes: [[{}, { error: "x" }]] }), "Some of the values cannot be used yet.");
  assert.equal(explain({}), "Which setting do you want to vary?");
});

test("a download has the name that the app gives it", () => {
  assert.equal(readName("attachment; filename*=UTF-8''a%20%C3%BC.png; x=1"), "a ü.png");
  assert.equal(readName(""), null);
});

test("a sweep rests when nothing runs and nothing is to come", () => {
  const counts = { waiting: 0, running: 0, done: 3, failed: 1, stopped: 0 };
  assert.equal(isAtRest({ phase: "done", counts }), true);
  assert.equal(isAtRest({ phase: "running", counts }), false);
  assert.equal(isAtRest({ phase: "paused", counts: { ...counts, running: 1 } }), false);
  assert.equal(isAtRest({ phase: "done", counts: { ...counts, waiting: 1 } }), false);
  assert.equal(isAtRest({ phase: "stopped", counts: { ...counts, waiting: 1 } }), true);
  assert.equal(countPercent({ counts, total: 5 }), 80);
  assert.equal(countPercent({ counts, total: 0 }), 100);
});

const DRAFT = {
  preset: "paint",
  values: { prompt: "a fox" },
  axes: [
    [{ field: "steps", text: "1, 2" }],
    [{ field: "picture", text: "", files: [{ path: "a.png", name: "a.png" }] }],
  ],
  carry: false,
  title: "Two",
};

test("a draft that was kept comes back as it was", () => {
  assert.deepEqual(readKeptDraft(JSON.parse(JSON.stringify(DRAFT))), DRAFT);
});

for (const kept of [null, 7, "x", [], {}, { preset: "paint" }, { ...DRAFT, preset: 7 }]) {
  test(`${JSON.stringify(kept)} is no draft`, () => {
    assert.equal(readKeptDraft(kept), null);
  });
}

for (const axes of [undefined, 7, [7], [[]], [[{ field: 7, text: "" }]], [[{ field: "steps" }]]]) {
  test(`a draft with ${JSON.stringify(axes)} has no axes yet`, () => {
    const draft = readKeptDraft({ ...DRAFT, axes, title: 7, carry: undefined });
    assert.deepEqual(draft, { ...DRAFT, axes: [], title: "", carry: true });
  });
}
