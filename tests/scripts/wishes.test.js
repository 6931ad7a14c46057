import { equal } from "node:assert/strict";
import test from "node:test";

import { createWishes } from "../../comfygradio/ui/static/history/wishes.js";

test("only the newest wish is fulfilled", () => {
  const wishes = createWishes();
  const isFirstNewest = wishes.begin();
  equal(isFirstNewest(), true);
  const isSecondNewest = wishes.begin();
  equal(isFirstNewest(), false);
  equal(isSecondNewest(), true);
});

test("who has left wishes for nothing any more", () => {
  const wishes = createWishes();
  const isNewest = wishes.begin();
  wishes.end();
  equal(isNewest(), false);
});

test("two pages do not share their wishes", () => {
  const isNewest = createWishes().begin();
  createWishes().begin();
  equal(isNewest(), true);
});
