// Addresses of the app, whatever its root is.

import assert from "node:assert/strict";
import test from "node:test";

import { link, linkUpload } from "../../comfygradio/ui/static/library/address.js";

/**
 * Pretend to be a page at an address, which the app thinks it serves at `root`.
 *
 * @param {string} address
 * @param {string} [root]
 */
function open(address, root) {
  Object.assign(globalThis, {
    location: new URL(address),
    gradio_config: root === undefined ? undefined : { root },
  });
}

/** @type {[string, string | undefined, string][]} */
const PAGES = [
  ["http://a.example/", "http://a.example", "http://a.example/x/y?z=1"],
  ["http://a.example:7860/?preset=a", "http://a.example:7860/", "http://a.example:7860/x/y?z=1"],
  ["http://a.example/forms/", "http://a.example/forms", "http://a.example/forms/x/y?z=1"],
  // Without a slash at the end, and before Gradio has said anything.
  ["http://a.example/forms?preset=a", "http://a.example/forms", "http://a.example/forms/x/y?z=1"],
  ["http://a.example/forms?preset=a", undefined, "http://a.example/forms/x/y?z=1"],
  // A proxy that did not tell of TLS.
  ["https://a.example/forms/", "http://a.example/forms", "https://a.example/forms/x/y?z=1"],
];

for (const [address, root, expected] of PAGES) {
  test(`${address} of ${root}`, () => {
    open(address, root);
    assert.equal(link("x/y?z=1"), expected);
  });
}

test("a whole address stays as it is", () => {
  open("http://a.example/");
  assert.equal(link("data:text/plain,x"), "data:text/plain,x");
});

test("signs in the name of an upload stay part of it", () => {
  open("http://a.example/forms/", "http://a.example/forms");
  const address = new URL(linkUpload("/tmp/a b/50% #1?.png"));
  assert.equal(decodeURIComponent(address.pathname), "/forms/gradio_api/file=/tmp/a b/50% #1?.png");
  assert.equal(address.search + address.hash, "");
});
