// How a page asks the app: it enters first, and anew when the app has forgotten it.

import assert from "node:assert/strict";
import { webcrypto } from "node:crypto";
import test from "node:test";

import { AWAY, createAsking } from "../../comfygradio/ui/static/library/asking.js";

// Node 18 does not have it where browsers do.
globalThis.crypto ??= webcrypto;

/**
 * A page and its app: `answers` says what the app does with a call.
 *
 * @param {(secret: string, asked: any) => any} answer
 */
function open(answer) {
  /** @type {(() => void)[]} */
  const watchers = [];
  /** @type {any} */
  const props = { value: null };
  /** @type {[string, any][]} */
  const triggered = [];
  /** @type {string[]} */
  const complaints = [];
  /** @type {any[]} */
  const calls = [];
  let entered = 0;

  /** @param {object} value */
  function tell(value) {
    props.value = value;
    for (const changed of watchers) changed();
  }

  /**
   * @param {string} event
   * @param {any} detail
   */
  function trigger(event, detail) {
    triggered.push([event, detail]);
    if (event !== "enter") return;
    entered += 1;
    const access = `secret ${entered}`;
    queueMicrotask(() => tell({ access }));
  }

  const part = /** @type {any} */ ({
    props,
    trigger,
    watch: (/** @type {string} */ _, /** @type {() => void} */ changed) => watchers.push(changed),
    server: {
      find: async (/** @type {[string, any]} */ [secret, asked]) => {
        calls.push([secret, asked]);
        return answer(secret, asked);
      },
    },
  });
  const asking = createAsking(part, {
    isQuick: () => true,
    complain: (text) => complaints.push(text),
  });
  return { ...asking, tell, triggered, complaints, calls };
}

test("a page enters once, however much it asks at the same time", async () => {
  const page = open((secret, asked) => ({ secret, ...asked }));
  assert.equal(page.getAccess(), null);
  const answers = await Promise.all([page.ask("find", { a: 1 }), page.ask("find", { a: 2 })]);
  assert.deepEqual(answers, [
    { secret: "secret 1", a: 1 },
    { secret: "secret 1", a: 2 },
  ]);
  assert.equal(page.triggered.length, 1);
  assert.match(page.triggered[0][1].person, /^[0-9a-f]{32}$/);
  assert.equal(page.getAccess(), "secret 1");
});

test("a page that the app has forgotten enters anew and asks again", async () => {
  const page = open((secret) => (secret === "secret 1" ? { left: true } : { found: secret }));
  const answers = await Promise.all([page.call("find"), page.call("find")]);
  assert.deepEqual(answers, [{ found: "secret 2" }, { found: "secret 2" }]);
  assert.equal(page.triggered.length, 2);
  assert.deepEqual(page.complaints, []);
});

test("a call says itself what went wrong", async () => {
  const refused = open(() => ({ error: "No." }));
  assert.deepEqual(await refused.call("find"), { error: "No." });
  assert.deepEqual(refused.complaints, ["No."]);

  const away = open(() => {
    throw new Error("The connection is lost.");
  });
  assert.deepEqual(await away.call("find"), { error: AWAY });
  assert.deepEqual(away.complaints, [AWAY]);
  await assert.rejects(away.ask("find"), /lost/);
});

test("a call that is refused without an answer is told like an app that is away", async () => {
  const refused = open(() => undefined);
  assert.deepEqual(await refused.call("find"), { error: AWAY });
  assert.deepEqual(refused.complaints, [AWAY]);
});

test("the answer of an event is the value with its number", async () => {
  const page = open(() => ({}));
  await page.ask("find");
  const first = page.send("use", { token: "a" });
  const second = page.send("use", { token: "b" });
  const [one, two] = page.triggered.slice(1).map(([, detail]) => detail);
  assert.deepEqual({ ...one, number: "" }, { access: "secret 1", number: "", token: "a" });
  assert.notEqual(one.number, two.number);
  page.tell({ number: two.number, used: "b" });
  page.tell({ number: "another", used: "?" });
  page.tell({ number: one.number, used: "a" });
  assert.equal((await first).used, "a");
  assert.equal((await second).used, "b");
});
