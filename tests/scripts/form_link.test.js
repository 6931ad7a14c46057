// What an address carries for a form, and what is said of a link that was copied.

import assert from "node:assert/strict";
import test from "node:test";

import { cleanAddress, nameCopied, readLink } from "../../comfygradio/ui/static/form/form_link.js";

test("an address carries values for the form that it names", () => {
  const search = "?preset=paint&prompt=a+red%20fox&steps=7";
  assert.deepEqual(readLink(search, "paint", "other"), { prompt: "a red fox", steps: "7" });
  assert.deepEqual(readLink(search, "other", "other"), {});
});

test("an address without a form is about the landing one", () => {
  assert.deepEqual(readLink("?prompt=fox", "paint", "paint"), { prompt: "fox" });
  assert.deepEqual(readLink("?prompt=fox", "paint", "other"), {});
});

test("what was taken leaves the address, and the rest stays", () => {
  const address = "http://host/forms/?preset=paint&prompt=a+fox&__theme=dark";
  assert.equal(cleanAddress(address, ["prompt"]), "http://host/forms/?preset=paint&__theme=dark");
});

test("what a link lacks is named", () => {
  assert.match(nameCopied([]), /^The link is copied/);
  assert.match(nameCopied(["Your picture", "Steps"]), /without Your picture, Steps/);
});
