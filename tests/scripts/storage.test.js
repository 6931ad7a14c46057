// What a browser keeps of a page, with storages that work, are full, or are off.

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import * as storage from "../../comfygradio/ui/static/library/storage.js";

/** A storage as browsers have it. */
class MemoryStorage {
  isFull = false;
  /** @type {Map<string, string>} */
  texts = new Map();

  /** @param {string} key */
  getItem(key) {
    return this.texts.get(key) ?? null;
  }

  /**
   * @param {string} key
   * @param {string} text
   */
  setItem(key, text) {
    if (this.isFull) throw new Error("Full.");
    this.texts.set(key, text);
  }

  /** @param {string} key */
  removeItem(key) {
    this.texts.delete(key);
  }
}

/**
 * Give this process a storage.
 *
 * @param {string} name
 * @param {() => unknown} get
 */
function define(name, get) {
  Object.defineProperty(globalThis, name, { configurable: true, get });
}

let session = new MemoryStorage();
let local = new MemoryStorage();

beforeEach(() => {
  session = new MemoryStorage();
  local = new MemoryStorage();
  define("sessionStorage", () => session);
  define("localStorage", () => local);
});

afterEach(() => {
  storage.drop("tab", "key");
  storage.drop("all", "key");
});

test("a tab keeps its own, and all tabs share the rest", () => {
  storage.keep("tab", "key", { a: 1 });
  storage.keepText("all", "key", "text");
  assert.deepEqual(storage.read("tab", "key", null), { a: 1 });
  assert.equal(storage.readText("all", "key"), "text");
  assert.equal(session.getItem("key"), '{"a":1}');
  assert.equal(local.getItem("key"), "text");
  storage.drop("tab", "key");
  assert.equal(storage.readText("tab", "key"), null);
});

test("what is not there or cannot be read is the fallback", () => {
  assert.equal(storage.read("tab", "key", "fallback"), "fallback");
  storage.keepText("tab", "key", "{");
  assert.equal(storage.read("tab", "key", "fallback"), "fallback");
  storage.keepText("tab", "key", "null");
  assert.equal(storage.read("tab", "key", "fallback"), "fallback");
});

test("what is no object with names is an empty one", () => {
  storage.keep("tab", "key", { a: 1 });
  assert.deepEqual(storage.readRecord("tab", "key"), { a: 1 });
  for (const value of [7, "x", [1], true]) {
    storage.keep("tab", "key", value);
    assert.deepEqual(storage.readRecord("tab", "key"), {});
  }
});

test("a full storage is helped out", () => {
  storage.keep("tab", "key", "old");
  session.isFull = true;
  storage.keep("tab", "key", "new");
  assert.equal(storage.read("tab", "key", ""), "new");
  session.isFull = false;
  storage.keep("tab", "key", "newest");
  assert.equal(session.getItem("key"), '"newest"');
  assert.equal(storage.read("tab", "key", ""), "newest");
});

for (const [name, get] of /** @type {[string, () => unknown][]} */ ([
  [
    "off",
    () => {
      throw new Error("The operation is insecure.");
    },
  ],
  ["missing", () => null],
])) {
  test(`a storage that is ${name} is remembered by the page itself`, () => {
    define("sessionStorage", get);
    define("localStorage", get);
    storage.keep("tab", "key", 1);
    storage.keep("all", "key", 2);
    assert.equal(storage.read("tab", "key", 0), 1);
    assert.equal(storage.read("all", "key", 0), 2);
    storage.drop("tab", "key");
    assert.equal(storage.read("tab", "key", 0), 0);
  });
}
