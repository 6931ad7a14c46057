import { deepEqual, equal } from "node:assert/strict";
import test, { beforeEach } from "node:test";

import {
  forget,
  readBatch,
  readShown,
  remember,
} from "../../comfygradio/ui/static/job/job_memory.js";
import {
  addJobs,
  createTabJobs,
  findOpen,
  isBusy,
  isPartial,
  listTokens,
} from "../../comfygradio/ui/static/job/tab_jobs.js";
import * as storage from "../../comfygradio/ui/static/library/storage.js";

const KEYS = { shown: "comfygradio.job", batch: "comfygradio.batch", all: "comfygradio.jobs" };

/**
 * @param {string} token
 * @param {string} phase
 */
function makeJob(token, phase) {
  return { token, phase, title: "", percent: 0, place: 0, picture: "" };
}

/** Make a tab of the same browser that remembers nothing of its own. */
function openTab() {
  storage.drop("tab", KEYS.shown);
  storage.drop("tab", KEYS.batch);
}

beforeEach(() => {
  openTab();
  storage.drop("all", KEYS.all);
});

test("a tab that is loaded again finds its jobs, and which one it showed", () => {
  remember("b", [makeJob("a", "done"), makeJob("b", "running")]);
  equal(readShown(), "b");
  deepEqual(readBatch(), ["a", "b"]);
});

test("a new tab finds the jobs of the browser that were not seen to their end", () => {
  remember("b", [makeJob("a", "done"), makeJob("b", "running"), makeJob("c", "waiting")]);
  openTab();
  equal(readShown(), "c");
  deepEqual(readBatch(), ["b", "c"]);
});

test("jobs of other tabs stay remembered, the newest twenty of all", () => {
  storage.keep("all", KEYS.all, ["other", "a"]);
  remember("a", [makeJob("a", "done"), makeJob("b", "running")]);
  deepEqual(storage.read("all", KEYS.all, []), ["other", "b"]);
  const many = [...Array(21).keys()].map((number) => makeJob(`new ${number}`, "waiting"));
  remember("new 0", many);
  const tokens = storage.read("all", KEYS.all, []);
  equal(tokens.length, 20);
  equal(tokens.at(-1), "new 20");
});

test("a job that the app does not know is forgotten with all of its tab", () => {
  storage.keep("all", KEYS.all, ["other"]);
  remember("a", [makeJob("a", "running")]);
  forget("a");
  equal(readShown(), "other");
  deepEqual(readBatch(), ["other"]);
});

test("what is no list of texts is not believed", () => {
  storage.keep("all", KEYS.all, { a: 1 });
  storage.keep("tab", KEYS.batch, [1, "a", null]);
  storage.keep("tab", KEYS.shown, 7);
  equal(readShown(), "");
  deepEqual(readBatch(), ["a"]);
});

test("a tab is busy until the last of its jobs is over", () => {
  const tab = createTabJobs();
  equal(isBusy(tab), false);
  tab.jobs = [makeJob("a", "done"), makeJob("b", "waiting"), makeJob("c", "running")];
  equal(isBusy(tab), true);
  equal(findOpen(tab)?.token, "b");
  tab.jobs = [makeJob("a", "done"), makeJob("b", "failed"), makeJob("c", "stopped")];
  equal(isBusy(tab), false);
});

test("a tab asks for those that it remembers until it was told of some", () => {
  remember("a", [makeJob("a", "running")]);
  const tab = createTabJobs();
  deepEqual(listTokens(tab), ["a"]);
  deepEqual([...tab.ended], ["a"]);
  tab.jobs = [makeJob("b", "running")];
  deepEqual(listTokens(tab), ["b"]);
});

/**
 * @param {string[]} tokens
 * @param {object} more
 * @returns {any}
 */
function tell(tokens, more) {
  return { token: tokens[0], jobs: tokens.map((token) => makeJob(token, "waiting")), ...more };
}

test("what Generate tells without a stream is a part while another job is not over", () => {
  const tab = createTabJobs();
  tab.jobs = [makeJob("a", "done"), makeJob("b", "running")];
  equal(isPartial(tab, tell(["c"], { ask: true })), true);
  equal(isPartial(tab, tell(["c"], { stream: "new", number: 1 })), true);
  equal(isPartial(tab, tell(["b", "c"], { ask: true })), false);
  tab.jobs = [makeJob("a", "done")];
  equal(isPartial(tab, tell(["c"], { ask: true })), false);
});

test("a job that the app was asked for and does not know is lacking in no message", () => {
  const tab = createTabJobs();
  tab.jobs = [makeJob("a", "running"), makeJob("b", "running")];
  equal(isPartial(tab, tell(["b"], { ask: true, unknown: ["a"] })), false);
});

test("the stream that a tab has, and the answers to its questions, have the last word", () => {
  const tab = createTabJobs();
  tab.jobs = [makeJob("a", "running"), makeJob("b", "running")];
  equal(isPartial(tab, tell(["b"], { stream: "known", number: 2 })), false);
  equal(isPartial(tab, tell(["b"], {})), false);
});

test("a tab keeps its newest twenty jobs, and notes whether there were new ones", () => {
  const tab = createTabJobs();
  const tokens = [...Array(20).keys()].map(String);
  equal(addJobs(tab, tell(tokens, {}).jobs), true);
  equal(addJobs(tab, tell(["3", "4"], {}).jobs), false);
  equal(addJobs(tab, tell(["19", "20"], {}).jobs), true);
  equal(tab.jobs.length, 20);
  deepEqual([tab.jobs[0].token, tab.jobs[19].token], ["1", "20"]);
});
