// What happens after the app has looked for a smaller size.

import { equal } from "node:assert/strict";
import test from "node:test";

import { awaitSmallerSize, tellSmallerSize } from "../../comfygradio/ui/static/job/smaller_size.js";

const PRESETS = ["paint", "enlarge"];
const NONE = { lines: ["No smaller size is known."] };

/**
 * Ask for the form "paint", and answer.
 *
 * @param {any[]} problems of "paint" and "enlarge"
 */
function ask(problems) {
  const answer = awaitSmallerSize("paint");
  tellSmallerSize(PRESETS, problems);
  return answer;
}

test("a smaller size is found, unless the form says that there is none", async () => {
  equal(await ask([{}, null]), true);
  equal(await ask([null, { lines: ["Another form."] }]), true);
  equal(await ask([NONE, null]), false);
});

test("an answer that no form waits for is left alone", async () => {
  equal(await ask([{}, null]), true);
  tellSmallerSize(PRESETS, [NONE, null]);
  equal(await ask([{}, null]), true);
});
