import { equal } from "node:assert/strict";
import test from "node:test";

import { nameDeleted, nameStay } from "../../comfygradio/ui/static/history/deletion_words.js";

test("one and several are spoken of differently", () => {
  equal(nameDeleted(1, 0), "Deleted.");
  equal(nameDeleted(3, 0), "3 results deleted.");
});

test("it is said what stayed", () => {
  equal(nameDeleted(1, 1), "Deleted. 1 that is not over yet stayed.");
  equal(nameDeleted(2, 2), "2 results deleted. 2 that are not over yet stayed.");
});

test("what stays in the trash does so for whole hours at least", () => {
  equal(nameStay(86_400), "For 24 more hours");
  equal(nameStay(86_399), "For 23 more hours");
  equal(nameStay(3600), "For 1 more hour");
  equal(nameStay(3599), "For less than an hour");
  equal(nameStay(0), "For less than an hour");
});
