import { equal } from "node:assert/strict";
import test from "node:test";

import {
  countPercent,
  nameMemory,
  nameQueue,
} from "../../comfygradio/ui/static/status/server_words.js";

const GIGABYTE = 2 ** 30;

test("a queue says how much of it is ours", () => {
  equal(nameQueue({ remaining: 3, ours: 1 }), "Queue: 1 of ours, 3 in all");
  equal(nameQueue({ remaining: 2, ours: 0 }), "Queue: 0 of ours, 2 in all");
});

test("an empty queue is not one that nobody knows", () => {
  equal(nameQueue({ remaining: 0, ours: 0 }), "Queue: empty");
  equal(nameQueue({ remaining: null, ours: 0 }), "");
});

test("memory is written in gigabytes with one digit more", () => {
  equal(nameMemory({ used: 1.25 * GIGABYTE, total: 24 * GIGABYTE }), "1.3 of 24.0 GB used");
});

test("the meter shows whole percents", () => {
  equal(countPercent({ used: GIGABYTE, total: 3 * GIGABYTE }), 33);
  equal(countPercent({ used: 2 * GIGABYTE, total: 3 * GIGABYTE }), 67);
});
