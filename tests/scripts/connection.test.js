// How a tab without a stream asks for its jobs, with answers that come late or never.

import { deepEqual, equal } from "node:assert/strict";
import test, { beforeEach } from "node:test";

import { createConnection } from "../../comfygradio/ui/static/job/connection.js";
import { createTabJobs } from "../../comfygradio/ui/static/job/tab_jobs.js";

/**
 * A question that the tab has asked.
 *
 * @typedef {object} Question
 * @property {string} token of the job
 * @property {boolean} isTakenBack
 * @property {(answer: object) => void} answer
 * @property {() => void} fail
 */

/** @type {Question[]} */
let questions = [];
/** What was said to streams: the secret of each, and what. @type {string[]} */
let said = [];
/** Lets a second pass. */
let tick = () => {};

/**
 * @param {string} address
 * @param {{ method?: string, signal?: AbortSignal }} options
 */
function answerLater(address, { method, signal }) {
  const { pathname, searchParams } = new URL(address);
  const name = pathname.split("/").at(-1) ?? "";
  if (method === "POST") {
    said.push(`${name} ${searchParams}`);
    return Promise.resolve({ ok: true });
  }
  return new Promise((resolve, reject) => {
    /** @type {Question} */
    const question = {
      token: name,
      isTakenBack: false,
      answer: (message) => resolve({ ok: true, json: async () => message }),
      fail: () => reject(new Error("The app is away.")),
    };
    signal?.addEventListener("abort", () => {
      question.isTakenBack = true;
      question.fail();
    });
    questions.push(question);
  });
}

/** Let everything happen that was promised. */
function rest() {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** @param {string} token */
function makeBrief(token) {
  return { token, phase: "running", title: "", percent: 0, place: 0, picture: "" };
}

const JOBS = ["first", "second", "third"].map(makeBrief);

/**
 * @param {string} token
 * @param {object} more
 * @returns {any}
 */
function tell(token, more = {}) {
  return { token, phase: "running", jobs: JOBS, version: 1, frames: 0, ended: 0, ...more };
}

/** A tab that has two jobs, and shows the first one. */
function open() {
  const tab = createTabJobs();
  tab.jobs = ["first", "second"].map(makeBrief);
  tab.shown = "first";
  /** @type {any[]} */
  const attached = [];
  const connection = createConnection({
    tab,
    trigger: (_, detail) => attached.push(detail),
    receive: async (message) => {
      if (message.gone) return;
      connection.hear(message);
      tab.shown = message.token;
    },
  });
  return { tab, connection, attached };
}

beforeEach(() => {
  questions = [];
  said = [];
  Object.assign(globalThis, {
    location: new URL("http://a.example/"),
    document: { hidden: false, addEventListener: () => {} },
    fetch: answerLater,
    // Its place is taken so that the tests let the time pass.
    setInterval: (/** @type {() => void} */ action) => {
      tick = action;
    },
    BroadcastChannel: class {
      postMessage() {}
    },
  });
});

test("a job that was chosen is shown, whatever was asked before or is asked meanwhile", async () => {
  const { tab, connection } = open();
  tick();
  connection.show("second");
  await rest();
  tick();
  const [before, chosen, ...more] = questions;
  equal(before.isTakenBack, true);
  chosen.answer(tell("second"));
  await rest();
  for (const question of more) question.answer(tell(question.token));
  await rest();
  equal(tab.shown, "second");
  tick();
  equal(questions.at(-1)?.token, "second");
});

test("of two that were chosen the last one is shown, however late the answers are", async () => {
  const { tab, connection } = open();
  connection.show("second");
  await rest();
  tick();
  connection.show("third");
  questions.at(-1)?.answer(tell("third"));
  await rest();
  for (const question of questions) question.answer(tell(question.token));
  await rest();
  equal(tab.shown, "third");
});

test("who goes back before the answer has come stays", async () => {
  const { tab, connection } = open();
  connection.show("second");
  connection.show("first");
  questions[0].answer(tell("second"));
  questions.at(-1)?.answer(tell("first"));
  await rest();
  equal(tab.shown, "first");
});

test("a job that was chosen is asked for until there is an answer", async () => {
  const { tab, connection } = open();
  connection.show("second");
  questions[0].fail();
  await rest();
  tick();
  equal(questions[1].token, "second");
  questions[1].answer(tell("second", { gone: true }));
  await rest();
  equal(tab.shown, "first");
  tick();
  equal(questions[2].token, "first");
});

test("a stream that was asked for before the choice is told of it", async () => {
  const { tab, connection, attached } = open();
  connection.attach();
  connection.show("second");
  questions[0].answer(tell("second"));
  await rest();
  equal(tab.shown, "second");
  connection.hear(tell("first", { stream: "stream", number: 1 }));
  deepEqual(attached, [{ token: "first", tokens: ["first", "second"] }]);
  deepEqual(said, ["stream show=second"]);
});

test("what Generate began meanwhile is no choice, and a choice comes to every stream", () => {
  const { tab, connection, attached } = open();
  connection.attach();
  connection.hear(tell("third", { stream: "its own", number: 1 }));
  tab.shown = "third";
  connection.hear(tell("first", { stream: "asked", number: 1 }));
  equal(attached.length, 1);
  deepEqual(said, []);
  connection.attach("first");
  connection.show("second");
  connection.hear(tell("first", { stream: "again", number: 1 }));
  deepEqual(said, ["asked show=second", "again show=second"]);
});

test("what Generate began takes the place of a choice that has no answer yet", async () => {
  const { tab, connection } = open();
  connection.show("second");
  connection.hear(tell("third", { stream: "its own", number: 1 }));
  tab.jobs = JOBS;
  tab.shown = "third";
  await rest();
  equal(questions[0].isTakenBack, true);
  connection.letGo();
  tick();
  equal(questions.at(-1)?.token, "third");
});

test("a choice from before a stream was asked for is not told to it", () => {
  const { connection } = open();
  connection.hear(tell("first", { stream: "before", number: 1 }));
  connection.show("second");
  connection.letGo();
  connection.attach("first");
  connection.hear(tell("first", { stream: "after", number: 1 }));
  deepEqual(said, ["before show=second", "before close=1"]);
});

test("a late answer does not take the place of the job that Generate began", async () => {
  const { tab, connection } = open();
  tick();
  connection.hear(tell("third", { stream: "its own", number: 1 }));
  tab.shown = "third";
  questions[0].answer(tell("first"));
  await rest();
  equal(tab.shown, "third");
});

test("a job that was chosen is not asked for once the tab has others", async () => {
  const { tab, connection } = open();
  connection.show("second");
  connection.hear(tell("third", { jobs: [makeBrief("third")], ask: true }));
  tab.jobs = [makeBrief("third")];
  tab.shown = "third";
  await rest();
  tick();
  equal(questions.at(-1)?.token, "third");
});
