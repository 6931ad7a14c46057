// The seeds that count up after each Generate.

import { equal } from "node:assert/strict";
import test from "node:test";

import { mayReplace } from "../../comfygradio/ui/static/form/counting.js";

test("the next seed replaces the one that was sent", () => {
  equal(mayReplace("18446744073709551615", "18446744073709551615"), true);
  equal(mayReplace(" 7 ", "7"), true);
  equal(mayReplace("", ""), true);
});

test("what somebody has typed meanwhile stays", () => {
  equal(mayReplace("8", "7"), false);
  equal(mayReplace("18446744073709551614", "18446744073709551615"), false);
  equal(mayReplace("5", ""), false);
});
