// What a browser keeps of models: recent ones and favourites.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import {
  noteRecent,
  readMemory,
  toggleFavourite,
} from "../../comfygradio/ui/static/form/model_memory.js";
import * as storage from "../../comfygradio/ui/static/library/storage.js";

const KEY = "comfygradio.models";

beforeEach(() => storage.drop("all", KEY));

test("the newest comes first, each once, and only some are kept", () => {
  for (const name of ["a", "b", "c", "a", "d", "e", "f", "g", "h"]) noteRecent("loras", name);
  assert.deepEqual(readMemory("loras").recent, ["h", "g", "f", "e", "d", "a"]);
  assert.deepEqual(readMemory("vae"), { recent: [], favourites: [] });
});

test("a favourite is taken back by the same press", () => {
  assert.equal(toggleFavourite("loras", "a"), true);
  assert.equal(toggleFavourite("loras", "b"), true);
  assert.equal(toggleFavourite("loras", "a"), false);
  noteRecent("loras", "c");
  assert.deepEqual(readMemory("loras"), { recent: ["c"], favourites: ["b"] });
});

test("no name is kept that cannot be one", () => {
  noteRecent("loras", "");
  assert.equal(toggleFavourite("loras", "x".repeat(1001)), false);
  assert.deepEqual(readMemory("loras"), { recent: [], favourites: [] });
});

for (const kept of [
  "not JSON",
  "[]",
  "3",
  '{"loras": 3}',
  '{"loras": {"recent": "a", "favourites": [3]}}',
  '{"loras": {"recent": [null, "a"]}}',
]) {
  test(`what is no list of names is left out: ${kept}`, () => {
    storage.keepText("all", KEY, kept);
    assert.deepEqual(readMemory("loras"), { recent: [], favourites: [] });
    noteRecent("loras", "a");
    assert.deepEqual(readMemory("loras").recent, ["a"]);
  });
}
