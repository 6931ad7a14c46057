// The Generate button of each form, and what it does before the job view is there: a person may
// press it as soon as a form is drawn.

import { isComposing, isElsewhere } from "./key_press.js";

const GENERATE = ".cg-generate";

/** Whether Generate was pressed since this page was loaded. */
let isPressed = false;

export function wasGeneratePressed() {
  return isPressed;
}

/**
 * Find the button of a form; null if the form has none, or is not drawn.
 *
 * @param {string} preset
 * @returns {HTMLButtonElement | null}
 */
export function findGenerate(preset) {
  return document.querySelector(`#cg-panel-${CSS.escape(preset)} ${GENERATE}`);
}

/** @returns {HTMLButtonElement | null} */
function findShownGenerate() {
  const panels = [...document.querySelectorAll(".cg-panel")];
  const panel = panels.find((one) => one.checkVisibility());
  return panel?.querySelector(GENERATE) ?? null;
}

/** @param {EventTarget | null} field that has the keyboard */
function pressShownGenerate(field) {
  // What is typed into these boxes counts once they are left.
  if (field instanceof Element && field.matches("input[type=number], input[type=text]")) {
    field.dispatchEvent(new Event("change", { bubbles: true }));
  }
  findShownGenerate()?.click();
}

/** @param {MouseEvent} event */
function noteClick(event) {
  if (!(event.target instanceof Element) || !event.target.closest(GENERATE)) return;
  isPressed = true;
  // The second click of a double click does not ask a second time.
  if (event.detail !== 2) return;
  event.stopPropagation();
  event.preventDefault();
}

/** @param {KeyboardEvent} event */
function followKey(event) {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  if (event.repeat || isComposing(event) || isElsewhere()) return;
  event.preventDefault();
  event.stopPropagation();
  pressShownGenerate(event.target);
}

/**
 * Follow the buttons from now on. Ctrl or ⌘ with Enter presses that of the form that is shown, from
 * wherever the keyboard is.
 */
export function followGenerate() {
  document.addEventListener("click", noteClick, true);
  // Before what has the keyboard hears of it: a list takes Enter.
  document.addEventListener("keydown", followKey, true);
}
