// Weighs words of a prompt, as in (words:1.1). Without the page: usable wherever JavaScript runs.

const WORD_ENDS = " .,\\/!?%^*;:{}=-_`~()\r\n\t";
const WEIGHED = /^(.*):([+-]?(?:\d*\.)?\d+(?:e[+-]?\d+)?)$/is;

/**
 * What to write in the place of a part of a text, and what is selected then.
 *
 * @typedef {object} Weighed
 * @property {number} start
 * @property {number} end
 * @property {string} text
 * @property {number} selectionStart
 * @property {number} selectionEnd
 */

/**
 * Weigh the words that are selected, or that the cursor is in; null if there are none.
 *
 * @param {string} value
 * @param {number} selectionStart
 * @param {number} selectionEnd
 * @param {number} change what is added to the weight
 * @returns {Weighed | null}
 */
export function weigh(value, selectionStart, selectionEnd, change) {
  const isCursor = selectionStart === selectionEnd;
  const [start, end] = isCursor
    ? findWords(value, selectionStart)
    : trim(value, selectionStart, selectionEnd);
  if (start === end) return null;
  const { words, weight, before } = parse(value.slice(start, end));
  const weighed = Number((weight + change).toFixed(10));
  const isPlain = weighed === 1;
  const text = isPlain ? words : `(${words}:${weighed})`;
  if (!isCursor) {
    return { start, end, text, selectionStart: start, selectionEnd: start + text.length };
  }
  const place = Math.min(Math.max(selectionStart - start - before, 0), words.length);
  const cursor = start + place + (isPlain ? 0 : 1);
  return { start, end, text, selectionStart: cursor, selectionEnd: cursor };
}

/**
 * Whether this bracket is here, and not escaped.
 *
 * @param {string} text
 * @param {number} at
 * @param {string} bracket
 */
function isBracket(text, at, bracket) {
  return text[at] === bracket && text[at - 1] !== "\\";
}

/**
 * Find the bracket that closes the one that is open at `from`, going by `step`; -1 if there is none.
 *
 * @param {string} text
 * @param {number} from
 * @param {1 | -1} step
 */
function findBracket(text, from, step) {
  const wanted = step > 0 ? ")" : "(";
  const other = step > 0 ? "(" : ")";
  let depth = 0;
  for (let at = from; at >= 0 && at < text.length; at += step) {
    if (isBracket(text, at, other)) depth += 1;
    if (!isBracket(text, at, wanted)) continue;
    if (depth === 0) return at;
    depth -= 1;
  }
  return -1;
}

/**
 * Find the brackets around the cursor with what is in them, else the word at the cursor.
 *
 * @param {string} text
 * @param {number} cursor
 */
function findWords(text, cursor) {
  const opening = findBracket(text, cursor - 1, -1);
  const closing = findBracket(text, cursor, 1);
  if (opening >= 0 && closing >= 0) return [opening, closing + 1];
  let start = cursor;
  let end = cursor;
  while (start > 0 && !WORD_ENDS.includes(text[start - 1])) start -= 1;
  while (end < text.length && !WORD_ENDS.includes(text[end])) end += 1;
  return [start, end];
}

/**
 * Leave out the space at the ends of a selection, and take the brackets around it in.
 *
 * @param {string} text
 * @param {number} start
 * @param {number} end
 */
function trim(text, start, end) {
  while (start < end && /\s/.test(text[start])) start += 1;
  while (end > start && /\s/.test(text[end - 1])) end -= 1;
  if (isBracket(text, start - 1, "(") && isBracket(text, end, ")")) return [start - 1, end + 1];
  return [start, end];
}

/**
 * Parse words that may have a weight; `before` counts the characters in front of the words.
 *
 * @param {string} part
 */
function parse(part) {
  const isInBrackets = isBracket(part, 0, "(") && findBracket(part, 1, 1) === part.length - 1;
  if (!isInBrackets) return { words: part, weight: 1, before: 0 };
  const inside = part.slice(1, -1);
  const match = WEIGHED.exec(inside);
  // Brackets without a number weigh nothing yet.
  if (!match) return { words: inside, weight: 1, before: 1 };
  return { words: match[1], weight: Number(match[2]), before: 1 };
}
