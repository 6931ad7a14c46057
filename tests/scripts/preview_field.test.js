import { deepEqual, equal } from "node:assert/strict";
import test from "node:test";

import { describeField, groupFields } from "../../comfygradio/ui/static/author/preview_field.js";

/** @typedef {import("../../comfygradio/ui/static/author/preview_field.js").PreviewField} Field */

/**
 * @param {Partial<Field>} some
 * @returns {Field}
 */
function makeField(some) {
  return {
    name: "seed",
    label: "Seed",
    help: "",
    placeholder: "",
    group: "",
    advanced: false,
    widget: "text",
    value: null,
    choices: null,
    more: 0,
    low: "",
    high: "",
    step: "any",
    optional: false,
    when: "",
    ...some,
  };
}

test("the help comes before the condition", () => {
  equal(describeField(makeField({})), "");
  equal(describeField(makeField({ help: "Any number." })), "Any number.");
  equal(describeField(makeField({ when: "Enlarge is on" })), "Only while Enlarge is on.");
  const both = makeField({ help: "Any number.", when: "Enlarge is on" });
  equal(describeField(both), "Any number. Only while Enlarge is on.");
});

test("fields without a group come first, and groups in the order of their first fields", () => {
  const fields = [
    makeField({ name: "a", group: "Light" }),
    makeField({ name: "b" }),
    makeField({ name: "c", group: "Camera" }),
    makeField({ name: "d", group: "Light" }),
  ];
  const names = groupFields(fields).map(({ group, members }) => [
    group,
    members.map((field) => field.name),
  ]);
  deepEqual(names, [
    ["", ["b"]],
    ["Light", ["a", "d"]],
    ["Camera", ["c"]],
  ]);
});
