import assert from "node:assert/strict";
import { test } from "node:test";

import {
  isVisible,
  listValues,
  writeCommand,
  writeJson,
  writeRatings,
  writeValue,
} from "../../comfygradio/ui/static/gallery/values.js";

const FIELDS = [
  { name: "seed", label: "Seed", values: ["18446744073709551615", "2"] },
  { name: "prompt", label: "Prompt", values: ['"it\'s a fox"'] },
  { name: "_hidden", label: "Hidden", values: ["1"] },
];

test("no digit of a seed is lost", () => {
  const values = listValues(FIELDS, [0, 0, 0]);
  assert.equal(writeValue(values[0].json), "18446744073709551615");
  assert.match(writeJson(values), /"seed": 18446744073709551615,/);
});

test("a field without a value is left out", () => {
  const values = listValues(FIELDS, [1, -1, 0]);
  assert.deepEqual(
    values.map(({ field }) => field.name),
    ["seed", "_hidden"],
  );
  assert.deepEqual(values.map(isVisible), [true, false]);
  assert.deepEqual(listValues(FIELDS, []), []);
});

test("values are written for people", () => {
  const written = {
    null: "",
    true: "on",
    false: "off",
    "1.50": "1.50",
    '"a\\nb"': "a\nb",
    '["a",2]': "a, 2",
    '[{"name":"x","strength":0.5},{"name":"y"}]': "x:0.5, y",
    '{"other":1}': '{"other":1}',
    "[null]": "null",
  };
  for (const [json, text] of Object.entries(written)) assert.equal(writeValue(json), text);
});

test("a command is quoted where it has to be", () => {
  const values = listValues(FIELDS, [1, 0, 0]);
  const command = "comfygradio run text_to_image seed=2 'prompt=it'\\''s a fox'";
  assert.equal(writeCommand("text_to_image", values), command);
});

test("ratings are a table in which nothing is a formula", () => {
  const axes = [
    { title: "A, B", labels: ["=1+1", '"x"'] },
    { title: "C", labels: ["-1", "2"] },
  ];
  const table = writeRatings(axes, [5, 0, 0, -1]);
  assert.equal(table, '"A, B",C,rating\n"\'=1+1",-1,5\n"""x""",2,-1');
});
