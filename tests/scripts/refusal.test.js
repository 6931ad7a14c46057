import { deepEqual, equal } from "node:assert/strict";
import test from "node:test";

import { forgetField, readRefusal } from "../../comfygradio/ui/static/form/refusal.js";

/** @type {import("../../comfygradio/ui/static/form/refusal.js").Refusal} */
const TWO = {
  lines: ["Seed: many is not possible", "Size: fill in both"],
  fields: [
    ["cg-boxes-seed", "many is not possible"],
    ["cg-boxes-size", "fill in both"],
  ],
  late: false,
};

test("what Python left out is empty", () => {
  const nothing = { lines: [], fields: [], late: false };
  deepEqual(readRefusal(null), nothing);
  deepEqual(readRefusal({}), nothing);
  deepEqual(readRefusal({ lines: ["Wait."], late: true }), {
    lines: ["Wait."],
    fields: [],
    late: true,
  });
});

test("a field that has changed goes, with its line", () => {
  const rest = forgetField(TWO, "cg-boxes-seed");
  deepEqual(rest.lines, ["Size: fill in both"]);
  deepEqual(rest.fields, [["cg-boxes-size", "fill in both"]]);
  deepEqual(forgetField(rest, "cg-boxes-size"), { lines: [], fields: [], late: false });
});

test("another field changes nothing, and neither does one that is gone", () => {
  equal(forgetField(TWO, "cg-boxes-steps"), TWO);
  const rest = forgetField(TWO, "cg-boxes-seed");
  equal(forgetField(rest, "cg-boxes-seed"), rest);
});

test("lines without a field stay", () => {
  const refusal = { lines: ["Wait."], fields: [], late: false };
  equal(forgetField(refusal, "cg-boxes-seed"), refusal);
});
