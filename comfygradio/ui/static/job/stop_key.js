// Esc stops the job that is shown, after a question where much would be lost. Not while another
// page or a dialog is open.

/** @import { TabJobs } from "./tab_jobs.js" */

import { isOver } from "../library/phases.js";
import { find } from "../library/template.js";
import { nameDuration } from "./job_words.js";
import { isComposing, isElsewhere, isPlainKey } from "./key_press.js";

/** A job that has not run for longer is stopped without a question. */
const SHORT_SECONDS = 60;

/** @param {EventTarget | null} node */
function hasOpenList(node) {
  return node instanceof Element && node.getAttribute("aria-expanded") === "true";
}

/** @param {KeyboardEvent} event */
function isEscape(event) {
  // A list closes with Esc.
  return event.key === "Escape" && isPlainKey(event) && !hasOpenList(event.target);
}

/**
 * Follow the key from now on.
 *
 * @param {HTMLElement} view
 * @param {TabJobs} tab
 * @param {(token: string) => void} stop
 */
export function followStopKey(view, tab, stop) {
  const progress = find(view, "cg-progress");
  const question = find(view, "cg-sure");
  const sentence = find(view, "cg-sure-words");
  const yes = find(view, "cg-sure-stop");
  const no = find(view, "cg-sure-go");
  /** The token of the job that the question is about, and goes with; "" if none is asked. */
  let asked = "";
  /** What had the keyboard before. @type {Element | null} */
  let cameFrom = null;

  /** @param {boolean} isAsked */
  function showQuestion(isAsked) {
    // It stands in the place of the progress.
    question.hidden = !isAsked;
    progress.toggleAttribute("data-asks", isAsked);
  }

  /** @param {number} seconds */
  function ask(seconds) {
    const words = `Stop? ${nameDuration(seconds)} would be lost.`;
    asked = tab.shown;
    cameFrom = document.activeElement;
    sentence.textContent = words;
    question.setAttribute("aria-label", words);
    showQuestion(true);
    yes.focus();
  }

  function close() {
    const hasFocus = question.contains(document.activeElement);
    asked = "";
    showQuestion(false);
    if (!hasFocus || !(cameFrom instanceof HTMLElement)) return;
    if (cameFrom.checkVisibility()) cameFrom.focus({ preventScroll: true });
  }

  /** The seconds that the job which is shown has run; null if it cannot be stopped. */
  function readSeconds() {
    const { shown, told, stopping } = tab;
    if (!shown || told?.token !== shown) return null;
    if (isOver(told) || stopping.has(shown)) return null;
    return told.seconds;
  }

  function closeIfOver() {
    if (!asked) return;
    const isSame = asked === tab.shown && tab.told !== null && !isOver(tab.told);
    if (!isSame) close();
  }

  yes.addEventListener("click", () => {
    const token = asked;
    close();
    if (token) stop(token);
  });
  no.addEventListener("click", close);
  const changes = new MutationObserver(closeIfOver);
  changes.observe(view, { attributeFilter: ["data-phase", "data-token"] });

  /** @param {KeyboardEvent} event */
  function follow(event) {
    if (!isEscape(event) || event.repeat || isComposing(event) || isElsewhere()) return;
    const seconds = readSeconds();
    if (seconds === null) return;
    if (asked) close();
    else if (seconds > SHORT_SECONDS) ask(seconds);
    else stop(tab.shown);
  }

  // Before what has the keyboard hears of it.
  document.addEventListener("keydown", follow, true);
}
