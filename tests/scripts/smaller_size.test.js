// What happens after the app has looked for a smaller size.

import { deepEqual } from "node:assert/strict";
import test from "node:test";

import { afterSmallerSize, trySmallerSize } from "../../comfygradio/ui/static/job/smaller_size.js";

/**
 * List what is done after these answers; the form "paint" asked.
 *
 * @param {any[]} problems of "paint" and "enlarge"
 */
function listDone(problems) {
  /** @type {string[]} */
  const done = [];
  afterSmallerSize("paint", { press: () => done.push("press"), show: () => done.push("show") });
  trySmallerSize(["paint", "enlarge"], problems);
  return done;
}

test("Generate is pressed, unless the form says that there is no smaller size", () => {
  deepEqual(listDone([{}, null]), ["press"]);
  deepEqual(listDone([null, { lines: ["Another form."] }]), ["press"]);
  deepEqual(listDone([{ lines: ["No smaller size is known."] }, null]), ["show"]);
});
