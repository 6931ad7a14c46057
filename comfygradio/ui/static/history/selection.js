// The jobs that are chosen, and the bar at the bottom of what can be done with all of them.

/** @import { Gallery } from "./gallery.js" */

import { make, press } from "../library/elements.js";
import { find } from "../library/template.js";
import { markCard } from "./job_card.js";

/**
 * What the bar does with the jobs.
 *
 * @typedef {object} SelectionActions
 * @property {() => void} compare
 * @property {() => void} download
 * @property {() => void} moveToTrash
 */

/**
 * Make the bar, and the button by which a click on a job chooses it.
 *
 * @param {Element} root
 * @param {Gallery} gallery
 * @param {SelectionActions} actions
 */
export function createSelection(root, gallery, actions) {
  const mode = find(root, "cg-past-select", HTMLButtonElement);
  const bar = find(root, "cg-past-chosen");
  /** @type {Set<string>} */
  const chosen = new Set();

  /** Whether a click on a job chooses it. */
  function isChoosing() {
    return mode.getAttribute("aria-pressed") === "true";
  }

  /** @param {boolean} isOn */
  function setChoosing(isOn) {
    mode.setAttribute("aria-pressed", String(isOn));
    paint();
  }

  function drawCompare() {
    const title = chosen.size === 2 ? "" : "Select two to compare them";
    const compare = press("cg-small", "Compare", actions.compare, { title });
    compare.disabled = chosen.size !== 2;
    return compare;
  }

  function drawBar() {
    const words = make("i", { textContent: " selected" });
    const count = make("span", { className: "cg-past-count" }, String(chosen.size), words);
    return [
      count,
      drawCompare(),
      press("cg-small", "Download", actions.download, { title: "As one zip file" }),
      press("cg-small cg-past-danger", "Delete", actions.moveToTrash),
      press("cg-small cg-past-plain", "Clear", clear),
    ];
  }

  function paint() {
    const isEmpty = chosen.size === 0;
    const hadKeyboard = bar.contains(document.activeElement);
    bar.hidden = isEmpty;
    root.toggleAttribute("data-choosing", !isEmpty || isChoosing());
    if (isEmpty) bar.replaceChildren();
    else bar.replaceChildren(...drawBar());
    if (isEmpty && hadKeyboard) mode.focus();
  }

  /**
   * Choose a job, or not any more.
   *
   * @param {string} token
   * @param {boolean} isChosen
   */
  function choose(token, isChosen) {
    if (isChosen) chosen.add(token);
    else chosen.delete(token);
    const card = gallery.findCard(token);
    if (card) markCard(card, isChosen);
    paint();
  }

  /** Choose nothing any more. */
  function clear() {
    for (const token of [...chosen]) choose(token, false);
    setChoosing(false);
  }

  /**
   * Forget jobs that are gone.
   *
   * @param {Iterable<string>} tokens
   */
  function forget(tokens) {
    for (const token of tokens) chosen.delete(token);
    paint();
  }

  mode.addEventListener("click", () => {
    if (isChoosing()) clear();
    else setChoosing(true);
  });
  mode.inert = false;
  return {
    isChoosing,
    choose,
    forget,
    has: (/** @type {string} */ token) => chosen.has(token),
    list: () => [...chosen],
  };
}
