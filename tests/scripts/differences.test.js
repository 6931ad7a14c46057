import { deepEqual, equal } from "node:assert/strict";
import test from "node:test";

import { findDifferences, nameValue } from "../../comfygradio/ui/static/history/differences.js";
import { nameSame } from "../../comfygradio/ui/static/library/words.js";

/**
 * @param {string} name
 * @param {string} text
 */
function makeValue(name, text) {
  return { name, label: name.toUpperCase(), text, filter: "" };
}

/**
 * Each difference as its label and what is said of both jobs.
 *
 * @param {Record<string, string>} left
 * @param {Record<string, string>} right
 */
function compare(left, right) {
  const lefts = Object.entries(left).map(([name, text]) => makeValue(name, text));
  const rights = Object.entries(right).map(([name, text]) => makeValue(name, text));
  const { differences, sameCount } = findDifferences(lefts, rights);
  const rows = differences.map((row) => [row.label, nameValue(row.left), nameValue(row.right)]);
  return { rows, sameCount };
}

test("what is the same is only counted", () => {
  const { rows, sameCount } = compare(
    { prompt: "a fox", seed: "1", steps: "20" },
    { prompt: "a fox", seed: "2", steps: "20" },
  );
  deepEqual(rows, [["SEED", "1", "2"]]);
  equal(sameCount, 2);
});

test("a value that only one of them has is a difference", () => {
  const { rows, sameCount } = compare({ prompt: "a fox" }, { image: "in.png" });
  deepEqual(rows, [
    ["PROMPT", "a fox", "—"],
    ["IMAGE", "—", "in.png"],
  ]);
  equal(sameCount, 0);
});

test("an empty value is not the same as none", () => {
  deepEqual(compare({ prompt: "" }, {}).rows, [["PROMPT", "empty", "—"]]);
});

test("it is said how many are the same, unless there are none", () => {
  equal(nameSame(0), "");
  equal(nameSame(1), "1 setting is the same in both.");
  equal(nameSame(2), "2 settings are the same in both.");
});
