// The mode of a seed that counts up: after each Generate its box has the seed after those used.

import { typeInto } from "../library/elements.js";

/**
 * The id of a seed's element, the text that was sent, and the seed after those of the jobs. Python
 * counts: JavaScript would round such numbers.
 *
 * @typedef {[id: string, sent: string, next: string]} NextSeed
 */

/** @param {string} id of the seed's element */
function findButton(id) {
  return document.getElementById(`${id}-counting`);
}

/** @param {string} id of the seed's element */
export function toggleCounting(id) {
  const button = findButton(id);
  const isCounting = button?.getAttribute("aria-pressed") === "true";
  button?.setAttribute("aria-pressed", String(!isCounting));
}

/** @param {string} id of the seed's element */
export function stopCounting(id) {
  findButton(id)?.setAttribute("aria-pressed", "false");
}

/**
 * Whether the next seed may come into a box: not if somebody has typed into it meanwhile.
 *
 * @param {string} shown
 * @param {string} sent
 */
export function mayReplace(shown, sent) {
  return shown.trim() === sent;
}

/**
 * Put the next seeds into the boxes that count up.
 *
 * @param {NextSeed[]} seeds
 */
export function countUp(seeds) {
  for (const [id, sent, next] of seeds) {
    if (findButton(id)?.getAttribute("aria-pressed") !== "true") continue;
    /** @type {HTMLInputElement | HTMLTextAreaElement | null | undefined} */
    const box = document.getElementById(id)?.querySelector("textarea, input");
    if (box && mayReplace(box.value, sent)) typeInto(box, next);
  }
}

/**
 * Say of the buttons of a form that they are pressed or not.
 *
 * @param {string} preset
 */
export function markCounting(preset) {
  const panel = document.getElementById(`cg-panel-${preset}`);
  for (const button of panel?.querySelectorAll(".cg-counting:not([aria-pressed])") ?? []) {
    button.setAttribute("aria-pressed", "false");
  }
}
