import { deepEqual, equal } from "node:assert/strict";
import test from "node:test";

import { nameDeletion } from "../../comfygradio/ui/static/history/deletion_words.js";

test("one and several are spoken of differently", () => {
  deepEqual(nameDeletion(1, 0), {
    title: "Delete this result?",
    text: "Its files are deleted, too. This cannot be undone.",
  });
  deepEqual(nameDeletion(3, 0), {
    title: "Delete these 3 results?",
    text: "Their files are deleted, too. This cannot be undone.",
  });
});

test("it is said what stays", () => {
  const end = (/** @type {number} */ count) => nameDeletion(1, count).text.split("undone.")[1];
  equal(end(1), " 1 that is not over yet will stay.");
  equal(end(2), " 2 that are not over yet will stay.");
});
