// Ctrl or ⌘ with ↑ or ↓ in a prompt weighs the words under the cursor, or those that are selected,
// as ComfyUI's own page does: (words:1.1). A cursor stays where it was, so that what is typed next
// replaces nothing.

import { weigh } from "./weighed_words.js";

const STEP = 0.05;
const PROMPT = ".cg-prompt textarea:not([readonly])";

/**
 * Put a text in the place of another.
 *
 * @param {HTMLTextAreaElement} field
 * @param {number} start
 * @param {number} end
 * @param {string} text
 */
function write(field, start, end, text) {
  field.setSelectionRange(start, end);
  // Old, but the only way that can be undone.
  if (document.execCommand("insertText", false, text)) return;
  field.setRangeText(text, start, end);
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

/**
 * @param {HTMLTextAreaElement} field
 * @param {number} change
 */
function weighField(field, change) {
  const { value, selectionStart, selectionEnd } = field;
  const weighed = weigh(value, selectionStart, selectionEnd, change);
  if (weighed === null) return;
  write(field, weighed.start, weighed.end, weighed.text);
  field.setSelectionRange(weighed.selectionStart, weighed.selectionEnd);
}

/** Weigh words by these keys from now on. */
export function listenWeights() {
  document.addEventListener("keydown", (event) => {
    const isArrow = event.key === "ArrowUp" || event.key === "ArrowDown";
    const hasCommand = (event.ctrlKey || event.metaKey) && !event.altKey;
    if (!isArrow || !hasCommand || event.isComposing) return;
    const field = event.target;
    if (!(field instanceof HTMLTextAreaElement) || !field.matches(PROMPT)) return;
    event.preventDefault();
    weighField(field, event.key === "ArrowUp" ? STEP : -STEP);
  });
}
