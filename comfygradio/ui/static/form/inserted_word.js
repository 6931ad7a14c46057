// Puts a word into a prompt. Without the page: usable wherever JavaScript runs.

/**
 * What has to stand between a prompt and a further word.
 *
 * @param {string} before the prompt up to the place of the word
 */
function findGlue(before) {
  if (before === "" || /\s$/.test(before)) return "";
  return before.endsWith(",") ? " " : ", ";
}

/**
 * Put a word into a prompt.
 *
 * @param {string} prompt
 * @param {number} place how many characters stand before it
 * @param {string} word
 */
export function insertWord(prompt, place, word) {
  const before = prompt.slice(0, place);
  const after = prompt.slice(place);
  return before + findGlue(before) + word + after;
}
