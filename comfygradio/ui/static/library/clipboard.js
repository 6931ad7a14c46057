// Copies texts to the clipboard.

import { findUppermost } from "./dialogs.js";
import { make } from "./elements.js";

/**
 * Copy in the old way. Browsers have no other for a page from a file, or one that came over plain
 * HTTP.
 *
 * @param {string} text
 */
function copySelected(text) {
  const focused = document.activeElement;
  const area = make("textarea", { value: text, className: "cg-unseen" });
  findUppermost().append(area);
  area.select();
  const isCopied = document.execCommand("copy");
  area.remove();
  if (focused instanceof HTMLElement) focused.focus({ preventScroll: true });
  return isCopied;
}

/**
 * Copy a text.
 *
 * @param {string} text
 * @returns {Promise<boolean>} whether it is copied
 */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copySelected(text);
  }
}
