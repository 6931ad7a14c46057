// What is said in passing, and goes away by itself.

import { findUppermost } from "./dialogs.js";
import { make, press } from "./elements.js";

const SHOWN_MS = 6000;

/** Whoever has to decide needs longer than whoever reads. */
const OFFERED_MS = 12_000;

/**
 * What a button in it does, such as to undo what was said.
 *
 * @typedef {{ text: string, act: () => void }} Offer
 */

/** Make what says a text in passing, on whatever page people are by then. */
export function createToast() {
  const toast = make("div", { className: "cg-toast", hidden: true });
  toast.setAttribute("role", "status");
  let timer = 0;
  let shownMs = SHOWN_MS;

  function hide() {
    toast.hidden = true;
  }

  /** Let it go away, but not from under a pointer or the keyboard. */
  function letGo() {
    clearTimeout(timer);
    if (!toast.matches(":hover, :focus-within")) timer = setTimeout(hide, shownMs);
  }

  /** Put it where people see it, and elsewhere once the dialog that they see it in is closed. */
  function place() {
    const home = findUppermost();
    home.append(toast);
    if (home !== document.body) home.addEventListener("close", place, { once: true });
  }

  /** @param {Offer} offer */
  function drawOffer({ text, act }) {
    return press("cg-toast-act", text, () => {
      hide();
      act();
    });
  }

  /**
   * @param {string} text
   * @param {Offer} [offer]
   */
  function sayInPassing(text, offer) {
    /** @type {NodeListOf<HTMLElement>} */
    const others = document.querySelectorAll(".cg-toast");
    for (const other of others) other.hidden = true;
    place();
    toast.replaceChildren(text);
    if (offer) toast.append(" ", drawOffer(offer));
    toast.hidden = !text;
    shownMs = offer ? OFFERED_MS : SHOWN_MS;
    letGo();
  }

  for (const name of ["pointerenter", "pointerleave", "focusin", "focusout"]) {
    // Where the keyboard goes is known only afterwards.
    toast.addEventListener(name, () => setTimeout(letGo));
  }

  return sayInPassing;
}
