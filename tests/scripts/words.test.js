import { equal } from "node:assert/strict";
import test from "node:test";

import { nameTime, plural } from "../../comfygradio/ui/static/library/words.js";

test("only one takes the noun for one", () => {
  equal(plural(0, "job"), "0 jobs");
  equal(plural(1, "job"), "1 job");
  equal(plural(2, "job"), "2 jobs");
});

test("a noun may have a plural of its own, and large counts have commas", () => {
  equal(plural(1, "entry", "entries"), "1 entry");
  equal(plural(12_345, "entry", "entries"), "12,345 entries");
});

test("a time is written with its day", () => {
  const noon = new Date(2026, 1, 3, 12, 5);
  equal(nameTime(noon.getTime() / 1000), "3 Feb 2026, 12:05");
});
