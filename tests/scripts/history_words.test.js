import { deepEqual, equal } from "node:assert/strict";
import test from "node:test";

import {
  explainNothing,
  listBadges,
  nameDay,
  nameFacts,
  nameJob,
  nameOrigin,
} from "../../comfygradio/ui/static/history/job_words.js";

/** @import { Job, Result } from "../../comfygradio/ui/static/history/job.js" */

/**
 * @param {Partial<Job>} changes
 * @returns {Job}
 */
function makeJob(changes = {}) {
  const created = new Date(2026, 1, 3, 12, 5).getTime() / 1000;
  return {
    token: "t",
    preset: "text_to_image",
    title: "Text to image",
    text: "",
    created,
    phase: "done",
    line: "",
    percent: 0,
    frame: "",
    seconds: 0,
    error: "",
    favourite: false,
    results: [],
    ...changes,
  };
}

/**
 * @param {Partial<Result>} changes
 * @returns {Result}
 */
function makeResult(changes = {}) {
  return {
    kind: "image",
    text: "",
    name: "one.png",
    url: "u",
    display: "d",
    width: null,
    height: null,
    partial: false,
    problem: "",
    again: false,
    ...changes,
  };
}

/** @param {Job} job */
function listTexts(job) {
  return listBadges(job).map((badge) => badge.text);
}

test("a day is named by how long ago it was, else by its date", () => {
  const now = new Date(2026, 0, 2, 0, 5);
  const name = (/** @type {Date} */ time) => nameDay(time.getTime() / 1000, now);
  equal(name(new Date(2026, 0, 2, 0, 0)), "Today");
  equal(name(new Date(2026, 0, 2, 23, 59)), "Today");
  equal(name(new Date(2026, 0, 1, 23, 59)), "Yesterday");
  equal(name(new Date(2026, 0, 1, 0, 0)), "Yesterday");
  // Versions of browsers differ in the comma.
  const other = name(new Date(2025, 11, 31, 23, 59)).replace(",", "");
  equal(other, "Wednesday 31 December 2025");
});

test("the year is left out of a day of this one", () => {
  const now = new Date(2026, 11, 31, 12, 0);
  equal(nameDay(new Date(2026, 0, 1).getTime() / 1000, now), "Thursday 1 January");
});

test("each of many days has one name, also where the clocks change", () => {
  for (let ago = 0; ago < 400; ago += 1) {
    const now = new Date(2026, 5, 15, 0, 1);
    const morning = new Date(2026, 5, 15 - ago, 0, 1).getTime() / 1000;
    const evening = new Date(2026, 5, 15 - ago, 23, 59).getTime() / 1000;
    equal(nameDay(morning, now), nameDay(evening, now));
    if (ago === 0) equal(nameDay(morning, now), "Today");
    if (ago === 1) equal(nameDay(morning, now), "Yesterday");
  }
});

test("a job is named by its words, else by its form", () => {
  equal(nameJob(makeJob({ text: "a fox" })), "a fox");
  equal(nameJob(makeJob()), "Text to image");
});

test("the form is said only where it is not the name already", () => {
  equal(nameOrigin(makeJob({ text: "a fox" })), "Text to image · 12:05");
  equal(nameOrigin(makeJob()), "12:05");
});

test("the facts are those that are known", () => {
  const when = "3 Feb 2026, 12:05";
  equal(nameFacts(makeJob(), undefined), when);
  const sized = makeResult({ width: 512, height: 768 });
  equal(nameFacts(makeJob({ seconds: 2.5 }), sized), `${when} · 512 × 768 · 2.5 s`);
  equal(nameFacts(makeJob({ seconds: 2.5 }), makeResult()), `${when} · 2.5 s`);
  equal(nameFacts(makeJob({ seconds: 2.5, phase: "failed" }), sized), `${when} · 512 × 768`);
});

test("a job that is done and has one whole result has no badge", () => {
  deepEqual(listBadges(makeJob({ results: [makeResult()] })), []);
});

test("a badge says the state of any other job", () => {
  deepEqual(listTexts(makeJob({ phase: "waiting" })), ["Waiting"]);
  deepEqual(listTexts(makeJob({ phase: "running" })), ["Starting"]);
  deepEqual(listTexts(makeJob({ phase: "running", percent: 49.9 })), ["49 %"]);
  deepEqual(listTexts(makeJob({ phase: "failed" })), ["Not finished"]);
  deepEqual(listTexts(makeJob({ phase: "stopped" })), ["Stopped early"]);
  deepEqual(listBadges(makeJob({ phase: "stopped" }))[0].mark, "stopped");
});

test("further badges speak of the results", () => {
  const results = [makeResult({ partial: true }), makeResult({ again: true }), makeResult()];
  const job = makeJob({ results });
  deepEqual(listTexts(job), ["Partial", "Not fetched", "3 results"]);
  deepEqual(
    listBadges(job).map((badge) => badge.mark),
    ["", "failed", ""],
  );
});

test("a card without a result says why", () => {
  equal(explainNothing(makeJob({ phase: "failed", error: "No memory." })), "No memory.");
  equal(explainNothing(makeJob({ phase: "running", line: "Sampling" })), "Sampling");
  equal(explainNothing(makeJob({ phase: "stopped" })), "Stopped before anything was made.");
  equal(explainNothing(makeJob()), "Nothing was made.");
});
