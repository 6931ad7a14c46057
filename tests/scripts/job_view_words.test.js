import { equal } from "node:assert/strict";
import test from "node:test";

import {
  nameDetails,
  nameDuration,
  nameResult,
  nameSize,
  nameSmallerSize,
  nameState,
  nameSummary,
  nameTab,
  nameTimes,
} from "../../comfygradio/ui/static/job/job_words.js";

/** @import { JobBrief, Message, Result } from "../../comfygradio/ui/static/job/job_message.js" */

/**
 * @param {Partial<JobBrief>} parts
 * @returns {JobBrief}
 */
function makeJob(parts) {
  return {
    token: "a",
    title: "Paint",
    phase: "running",
    percent: 0,
    place: 0,
    picture: "",
    ...parts,
  };
}

/** @type {Message} */
const MESSAGE = {
  token: "a",
  preset: "paint",
  title: "Paint",
  summary: "",
  phase: "running",
  percent: 0,
  line: "Painting",
  told: false,
  silent: false,
  detail: "",
  left: "",
  warnings: [],
  headline: "",
  error: "",
  refused: false,
  seed: "",
  seconds: 0,
  results: [],
  layoutNotes: [],
  favourite: false,
  smaller: "",
  jobs: [],
  version: 1,
  frames: 0,
  ended: 0,
};

/** @type {Result} */
const RESULT = {
  kind: "image",
  text: "",
  name: "a.png",
  url: "a.png",
  display: "a.webp",
  width: 512,
  height: 768,
  partial: false,
};

test("a duration has tenths of seconds below ten, and minutes from sixty on", () => {
  equal(nameDuration(0), "0.0 s");
  equal(nameDuration(9.94), "9.9 s");
  equal(nameDuration(9.95), "10 s");
  equal(nameDuration(59.4), "59 s");
  equal(nameDuration(59.5), "1 min 0 s");
  equal(nameDuration(754), "12 min 34 s");
});

test("a job of several says how it is", () => {
  equal(nameState(makeJob({ phase: "waiting", place: 2 })), "2 before it");
  equal(nameState(makeJob({ phase: "waiting" })), "Waiting");
  equal(nameState(makeJob({ percent: 40 })), "40 %");
  equal(nameState(makeJob({ phase: "done" })), "Done");
  equal(nameState(makeJob({ phase: "stopped" })), "Stopped");
  equal(nameState(makeJob({ phase: "failed" })), "Not finished");
});

test("beside the progress stands what is known of its time", () => {
  equal(nameTimes(MESSAGE), "");
  equal(nameTimes({ ...MESSAGE, percent: 12.9 }), "12 %");
  equal(nameTimes({ ...MESSAGE, left: "about 10 s left" }), "about 10 s left");
  equal(nameTimes({ ...MESSAGE, percent: 50, left: "about 10 s left" }), "50 % · about 10 s left");
  equal(nameTimes({ ...MESSAGE, percent: 50, silent: true }), "");
});

test("a node's own text is there in full for a pointer, before the node", () => {
  equal(nameDetails({ ...MESSAGE, detail: "KSampler" }), "KSampler");
  equal(nameDetails({ ...MESSAGE, told: true }), "Painting");
  equal(nameDetails({ ...MESSAGE, told: true, detail: "KSampler" }), "Painting\nKSampler");
});

test("below the results stand the title, the end and the seed", () => {
  const done = { ...MESSAGE, phase: "done", seconds: 2.25, seed: "7" };
  equal(nameSummary(done), "Paint · in 2.3 s · seed 7");
  equal(nameSummary({ ...MESSAGE, phase: "stopped" }), "Paint · stopped early");
  equal(nameSummary({ ...MESSAGE, phase: "failed" }), "Paint · not finished");
});

test("results are counted where there are several", () => {
  equal(nameResult({ summary: "a red fox", title: "Paint" }, 0, 1), "a red fox");
  equal(nameResult({ summary: "", title: "Paint" }, 1, 3), "Paint, picture 2 of 3");
});

test("below a result stands its size, and whether it is not finished", () => {
  equal(nameSize(RESULT), "512 × 768");
  equal(nameSize({ ...RESULT, partial: true }), "Not finished · 512 × 768");
  equal(nameSize({ ...RESULT, width: null, height: null }), "");
});

test("a smaller size is named only where there is one", () => {
  equal(nameSmallerSize("384x512"), "With 384 × 512 pixels");
  equal(nameSmallerSize(""), "");
});

test("the browser's tab tells of what runs, else of a picture that is done", () => {
  const jobs = [makeJob({ phase: "done" }), makeJob({ percent: 30 })];
  equal(nameTab("comfygradio", { ...MESSAGE, jobs }, true), "30 % · comfygradio");
  equal(nameTab("comfygradio", MESSAGE, true), "0 % · comfygradio");
  equal(nameTab("comfygradio", { ...MESSAGE, phase: "done" }, false), "✓ comfygradio");
  equal(nameTab("comfygradio", { ...MESSAGE, phase: "failed" }, false), "comfygradio");
});
