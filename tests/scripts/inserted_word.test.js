import { equal } from "node:assert/strict";
import test from "node:test";

import { insertWord } from "../../comfygradio/ui/static/form/inserted_word.js";

/**
 * Put "word" into a prompt at its bar.
 *
 * @param {string} marked
 */
function insert(marked) {
  return insertWord(marked.replace("|", ""), marked.indexOf("|"), "word");
}

test("a comma stands between a word and what is before it", () => {
  equal(insert("a fox|"), "a fox, word");
  equal(insert("a fox| in snow"), "a fox, word in snow");
});

test("a comma that is there already is enough", () => {
  equal(insert("a fox,|"), "a fox, word");
});

test("nothing is added after a space, a new line, or nothing", () => {
  equal(insert("|"), "word");
  equal(insert("| a fox"), "word a fox");
  equal(insert("a |fox"), "a wordfox");
  equal(insert("a fox, |"), "a fox, word");
  equal(insert("a fox\n|"), "a fox\nword");
});
