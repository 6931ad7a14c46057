// What is said in passing, and goes away by itself.

import { make } from "../library/elements.js";
import { find } from "../library/template.js";

const SHOWN_MS = 6000;
const ANNOUNCED_MS = 5000;

/**
 * Make the toast of the page; gives what says a text there.
 *
 * @param {HTMLElement} root
 */
export function createToast(root) {
  const toast = find(root, "cg-past-toast");
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  /** Nothing outside of the uppermost dialog is seen. */
  function findHome() {
    const dialogs = [...root.querySelectorAll("dialog[open]")];
    return dialogs.at(-1) ?? root;
  }

  return function sayInPassing(/** @type {string} */ text) {
    findHome().append(toast);
    toast.textContent = text;
    toast.hidden = false;
    clearTimeout(timer);
    timer = setTimeout(() => {
      toast.hidden = true;
    }, SHOWN_MS);
  };
}

/**
 * Say something on the page of forms, where the part itself is not shown.
 *
 * @param {string} text
 */
export function announce(text) {
  const toast = make("div", { className: "cg-past-toast", textContent: text });
  toast.setAttribute("role", "status");
  for (const old of document.querySelectorAll("body > .cg-past-toast")) old.remove();
  document.body.append(toast);
  setTimeout(() => toast.remove(), ANNOUNCED_MS);
}
