// Names of models as people read them, and between which strengths a slider moves.

import assert from "node:assert/strict";
import { test } from "node:test";

import { splitModel } from "../../comfygradio/ui/static/form/model_name.js";
import { chooseRange } from "../../comfygradio/ui/static/form/strength_range.js";

for (const [value, folder, name] of [
  ["a.safetensors", "", "a"],
  ["x/y/photo v1.5.CKPT", "x/y", "photo v1.5"],
  ["win\\ink.gguf", "win", "ink"],
  ["v1.5", "", "v1.5"],
  [".safetensors", "", ".safetensors"],
  ["", "", ""],
  [null, "", ""],
]) {
  test(`the name of ${value}`, () => {
    assert.deepEqual(splitModel(value), { value, name, folder });
  });
}

test("a slider moves where people need it, and as far as its value", () => {
  assert.deepEqual(chooseRange(1, -100, 100), [0, 2]);
  assert.deepEqual(chooseRange(-0.5, -100, 100), [-1, 2]);
  assert.deepEqual(chooseRange(3.2, -100, 100), [0, 4]);
  assert.deepEqual(chooseRange(1, 0.5, 1.5), [0.5, 1.5]);
  assert.deepEqual(chooseRange(1, null, null), [0, 2]);
});
