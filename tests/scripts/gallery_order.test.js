import { equal } from "node:assert/strict";
import test from "node:test";

import {
  findNeighbour,
  findSubstitute,
  orderAgain,
} from "../../comfygradio/ui/static/history/gallery_order.js";

const TOKENS = ["a", "b", "c", "d"];

test("a neighbour is so many places further", () => {
  equal(findNeighbour(TOKENS, "b", 1), "c");
  equal(findNeighbour(TOKENS, "b", -1), "a");
  equal(findNeighbour(TOKENS, "b", 0), "b");
});

test("there is none beyond the ends, nor of a job that is not there", () => {
  equal(findNeighbour(TOKENS, "a", -1), undefined);
  equal(findNeighbour(TOKENS, "d", 1), undefined);
  equal(findNeighbour(TOKENS, "x", 1), undefined);
  equal(findNeighbour([], "a", 1), undefined);
});

test("the next job that is left takes the place of one that is gone", () => {
  equal(findSubstitute(TOKENS, "b", new Set(["b"])), "c");
  equal(findSubstitute(TOKENS, "b", new Set(["b", "c"])), "d");
});

test("at the end it is the one before", () => {
  equal(findSubstitute(TOKENS, "d", new Set(["d"])), "c");
  equal(findSubstitute(TOKENS, "c", new Set(["c", "d"])), "b");
});

test("there is none if nothing is left", () => {
  equal(findSubstitute(TOKENS, "b", new Set(TOKENS)), undefined);
  equal(findSubstitute([], "b", new Set(["b"])), undefined);
});

test("the first job that is left takes the place of one that was not in the gallery", () => {
  equal(findSubstitute(TOKENS, "x", new Set(["x", "a"])), "b");
});

test("what is back stands where it stood, and what came since at the end", () => {
  const list = (/** @type {string} */ tokens) => [...tokens].map((token) => ({ token }));
  const order = (/** @type {any[]} */ ...parts) =>
    orderAgain(parts[0], parts[1], new Set(parts[2]))
      .map(({ token }) => token)
      .join("");
  equal(order(list("abcd"), list("ad"), "bc"), "abcd");
  equal(order(list("abcd"), list("ad"), "c"), "acd");
  equal(order(list("abcd"), list("adxy"), "b"), "abdxy");
  equal(order(list("ab"), list(""), "ab"), "ab");
});
