// What a browser can hand a file to: the clipboard, another app, or neither over plain HTTP.

import { deepEqual } from "node:assert/strict";
import test from "node:test";

import { findAbilities } from "../../comfygradio/ui/static/library/handing.js";

/** Not every Node has files. */
class SampleFile {
  /**
   * @param {string[]} _
   * @param {string} name
   * @param {{ type: string }} options
   */
  constructor(_, name, { type }) {
    this.name = name;
    this.type = type;
  }
}

const NEITHER = { canCopy: false, canShare: false };

/**
 * @param {object} browser
 * @param {boolean} [browser.isSecure] whether the page came from a safe address
 * @param {boolean} [browser.hasClipboard]
 * @param {string} [browser.shares] the type of files that it shares
 */
function open({ isSecure = true, hasClipboard = false, shares = "" }) {
  const clipboard = { write: async () => {} };
  const navigator = {
    clipboard: hasClipboard ? clipboard : undefined,
    canShare: (/** @type {{ files: File[] }} */ { files }) => files[0].type === shares,
  };
  const Item = hasClipboard ? class {} : undefined;
  const globals = { isSecureContext: isSecure, ClipboardItem: Item, navigator, File: SampleFile };
  for (const [name, value] of Object.entries(globals)) {
    Object.defineProperty(globalThis, name, { value, configurable: true });
  }
}

test("pictures are copied, and nothing else is", () => {
  open({ hasClipboard: true });
  deepEqual(findAbilities("image"), { canCopy: true, canShare: false });
  deepEqual(findAbilities("video"), NEITHER);
  deepEqual(findAbilities("file"), NEITHER);
});

test("what the browser shares can be shared", () => {
  open({ shares: "video/mp4" });
  deepEqual(findAbilities("video"), { canCopy: false, canShare: true });
  deepEqual(findAbilities("image"), NEITHER);
});

test("over plain HTTP there is neither", () => {
  open({ isSecure: false, hasClipboard: true, shares: "image/png" });
  deepEqual(findAbilities("image"), NEITHER);
});

test("an old browser has neither", () => {
  open({});
  Object.defineProperty(globalThis, "navigator", { value: {}, configurable: true });
  deepEqual(findAbilities("image"), NEITHER);
});
