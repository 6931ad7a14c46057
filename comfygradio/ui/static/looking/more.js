// The list of what can be done with a result, which ⋯ opens: beside the button, or on a phone at
// the bottom of the screen.

/** @import { Child } from "../library/elements.js" */
/** @import { Desk } from "./desk.js" */
/** @import { Slide } from "./slides.js" */

import { closeFromOutside } from "../library/dialogs.js";
import { make, press } from "../library/elements.js";
import { find } from "../library/template.js";
import { drawMain, drawRest } from "./choices.js";
import { nameSlide } from "./slides.js";

const ITEM = "cg-more-item";

/** Between the button, the list and the edges of the window. */
const GAP = 8;

/**
 * Make the list.
 *
 * @param {HTMLDialogElement} dialog
 * @param {Desk} desk
 * @param {(slide: Slide) => void} look shows a result large
 */
export function createMore(dialog, desk, look) {
  /** What was pressed. @type {HTMLElement | null} */
  let opener = null;

  /** @param {HTMLElement} button */
  function place(button) {
    const box = button.getBoundingClientRect();
    const below = box.bottom + GAP;
    const hasRoom = below + dialog.offsetHeight + GAP < innerHeight;
    const top = hasRoom ? below : Math.max(box.top - GAP - dialog.offsetHeight, GAP);
    const left = Math.max(box.right - dialog.offsetWidth, GAP);
    dialog.style.setProperty("--cg-more-top", `${top}px`);
    dialog.style.setProperty("--cg-more-left", `${left}px`);
  }

  /**
   * Open the list of these.
   *
   * @param {Slide} slide
   * @param {HTMLElement} button
   * @param {...Child} choices
   */
  function open(slide, button, ...choices) {
    opener = button;
    const close = press(`${ITEM} cg-more-close`, "Close", () => dialog.close());
    dialog.setAttribute("aria-label", `More for ${nameSlide(slide)}`);
    dialog.replaceChildren(make("div", { className: "cg-more-items" }, ...choices, close));
    dialog.showModal();
    place(button);
    find(dialog, ITEM).focus();
  }

  /**
   * Open the list for a result in the job view.
   *
   * @param {Slide} slide
   * @param {HTMLElement} button
   * @param {boolean} isAlone whether the main ones stand below it
   */
  function openForCard(slide, button, isAlone) {
    const shows = press(ITEM, "Show large", () => {
      dialog.close();
      look(slide);
    });
    const main = isAlone ? [] : drawMain(slide, desk, ITEM);
    open(slide, button, shows, ...main, ...drawRest(slide, desk, ITEM));
  }

  /**
   * Open the list for the result that is shown large.
   *
   * @param {Slide} slide
   * @param {HTMLElement} button
   */
  function openForLarge(slide, button) {
    open(slide, button, ...drawRest(slide, desk, ITEM));
  }

  /** @param {number} by */
  function step(by) {
    /** @type {NodeListOf<HTMLElement>} */
    const all = dialog.querySelectorAll(".cg-more-item");
    const items = [...all];
    const at = items.findIndex((item) => item.matches(":focus"));
    items.at((at + by) % items.length)?.focus();
  }

  dialog.addEventListener("keydown", (event) => {
    const isList = event.target instanceof Element && event.target.matches("select");
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (isList || by === undefined) return;
    event.preventDefault();
    step(by);
  });
  dialog.addEventListener("click", (event) => {
    if (event.target instanceof Element && event.target.closest("a, button")) dialog.close();
  });
  dialog.addEventListener("change", () => dialog.close());
  dialog.addEventListener("close", () => {
    opener?.focus({ preventScroll: true });
    dialog.replaceChildren();
  });
  closeFromOutside(dialog);
  return { openForCard, openForLarge };
}
