import { deepEqual, equal } from "node:assert/strict";
import test from "node:test";

import { weigh } from "../../comfygradio/ui/static/page/weighed_words.js";

/**
 * Weigh what is between the two bars of a text, or at its one bar, and write the result the same
 * way; null if there is nothing to weigh.
 *
 * @param {string} marked
 * @param {number} change
 */
function weighMarked(marked, change) {
  const start = marked.indexOf("|");
  const end = marked.lastIndexOf("|");
  const isCursor = start === end;
  const value = marked.replaceAll("|", "");
  const weighed = weigh(value, start, isCursor ? start : end - 1, change);
  if (!weighed) return null;
  const text = value.slice(0, weighed.start) + weighed.text + value.slice(weighed.end);
  const { selectionStart, selectionEnd } = weighed;
  const before = text.slice(0, selectionStart);
  if (selectionStart === selectionEnd) return `${before}|${text.slice(selectionEnd)}`;
  return `${before}|${text.slice(selectionStart, selectionEnd)}|${text.slice(selectionEnd)}`;
}

test("the word at the cursor is weighed, and the cursor stays in it", () => {
  equal(weighMarked("a red f|ox", 0.05), "a red (f|ox:1.05)");
  equal(weighMarked("a red |fox", 0.05), "a red (|fox:1.05)");
  equal(weighMarked("a red fox|", 0.05), "a red (fox|:1.05)");
  equal(weighMarked("a r|ed, fox", -0.1), "a (r|ed:0.9), fox");
});

test("what has a weight gets another one, and no brackets when it is 1 again", () => {
  equal(weighMarked("a (red f|ox:1.05)", 0.05), "a (red f|ox:1.1)");
  equal(weighMarked("a (red f|ox:1.05)", -0.05), "a red f|ox");
  equal(weighMarked("a (f|ox:-.5)", 0.1), "a (f|ox:-0.4)");
});

test("brackets without a number count as the weight 1", () => {
  equal(weighMarked("a (red f|ox)", 0.1), "a (red f|ox:1.1)");
});

test("a selection is weighed without the space at its ends, and stays selected", () => {
  equal(weighMarked("a| red fox |b", 0.1), "a |(red fox:1.1)| b");
  equal(weighMarked("a (|red fox|:1.1) b", 0.1), "a (|(red fox:1.1)|:1.1) b");
  equal(weighMarked("a (|red fox|) b", 0.1), "a |(red fox:1.1)| b");
});

test("escaped brackets belong to the words", () => {
  equal(weighMarked("a \\(r|ed\\) fox", 0.1), "a \\((r|ed:1.1)\\) fox");
});

test("weights do not collect the errors of binary fractions", () => {
  let text = "f|ox";
  for (let step = 0; step < 3; step += 1) text = weighMarked(text, 0.1) ?? "";
  equal(text, "(f|ox:1.3)");
});

test("there is nothing to weigh where no word is", () => {
  deepEqual(weigh("", 0, 0, 0.1), null);
  deepEqual(weigh("a , b", 2, 2, 0.1), null);
  deepEqual(weigh("a   b", 1, 4, 0.1), null);
});
