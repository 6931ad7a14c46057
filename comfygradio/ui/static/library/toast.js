// What is said in passing, and goes away by itself.

import { findUppermost } from "./dialogs.js";
import { make } from "./elements.js";

const SHOWN_MS = 6000;

/** Make what says a text in passing, on whatever page people are by then. */
export function createToast() {
  const toast = make("div", { className: "cg-toast", hidden: true });
  toast.setAttribute("role", "status");
  let timer = 0;

  /** @param {string} text */
  function sayInPassing(text) {
    /** @type {NodeListOf<HTMLElement>} */
    const others = document.querySelectorAll(".cg-toast");
    for (const other of others) other.hidden = true;
    findUppermost().append(toast);
    toast.textContent = text;
    toast.hidden = !text;
    clearTimeout(timer);
    timer = setTimeout(() => {
      toast.hidden = true;
    }, SHOWN_MS);
  }

  return sayInPassing;
}
