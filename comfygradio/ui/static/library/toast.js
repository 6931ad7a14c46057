// What is said in passing, and goes away by itself.

import { findUppermost } from "./dialogs.js";
import { make } from "./elements.js";

const SHOWN_MS = 6000;

/** Make what says a text in passing, on whatever page people are by then. */
export function createToast() {
  const toast = make("div", { className: "cg-toast", hidden: true });
  toast.setAttribute("role", "status");
  let timer = 0;

  /** Put it where people see it, and elsewhere once the dialog that they see it in is closed. */
  function place() {
    const home = findUppermost();
    home.append(toast);
    if (home !== document.body) home.addEventListener("close", place, { once: true });
  }

  /** @param {string} text */
  function sayInPassing(text) {
    /** @type {NodeListOf<HTMLElement>} */
    const others = document.querySelectorAll(".cg-toast");
    for (const other of others) other.hidden = true;
    place();
    toast.textContent = text;
    toast.hidden = !text;
    clearTimeout(timer);
    timer = setTimeout(() => {
      toast.hidden = true;
    }, SHOWN_MS);
  }

  return sayInPassing;
}
