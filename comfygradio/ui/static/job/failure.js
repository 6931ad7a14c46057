// What went wrong with the job that is shown, and what to do about it.

/** @import { Message, Result } from "./job_message.js" */

import { setText } from "../library/elements.js";
import { find } from "../library/template.js";
import { choose } from "../page/chooser.js";
import { findGenerate } from "./generate_button.js";
import { nameSmallerSize } from "./job_words.js";
import { isThere } from "./result_card.js";
import { awaitSmallerSize } from "./smaller_size.js";

/** @param {Result} result */
function isWhole(result) {
  return !result.partial && isThere(result);
}

/**
 * @param {HTMLElement} view
 * @param {(event: string, detail: object) => void} trigger
 */
export function createFailure(view, trigger) {
  const root = find(view, "cg-failure");
  const stage = find(view, "cg-stage");
  const headline = find(view, "cg-headline");
  const error = find(view, "cg-error");
  const again = find(view, "cg-again");
  const smaller = find(view, "cg-smaller");
  const details = find(view, "cg-details", HTMLDetailsElement);
  details.addEventListener("toggle", () => {
    if (details.open) error.scrollIntoView({ block: "nearest" });
  });

  /**
   * It stands over the last preview, or below the results where some are whole: nothing should
   * hide those.
   *
   * @param {Message} message
   */
  function place(message) {
    const isBelow = message.results.some(isWhole);
    const isOnStage = root.parentElement === stage;
    if (isBelow && isOnStage) stage.after(root);
    if (!isBelow && !isOnStage) stage.append(root);
  }

  /**
   * Choose the form that a job came from.
   *
   * @param {string} preset
   */
  function chooseForm(preset) {
    choose(preset, () => trigger("addressed", {}));
  }

  /**
   * Press Generate of the form that a job came from. The form is shown: it may have to say what is
   * wrong.
   *
   * @param {string} preset
   */
  function tryAgain(preset) {
    chooseForm(preset);
    findGenerate(preset)?.click();
  }

  /**
   * Try again with a smaller size. If there is none, the form says so, and has to be seen.
   *
   * @param {string} token
   * @param {string} preset
   */
  async function trySmaller(token, preset) {
    const answer = awaitSmallerSize(preset);
    trigger("smaller", { token, preset });
    if (await answer) tryAgain(preset);
    else chooseForm(preset);
  }

  /** @param {Message} message */
  function paintWays({ token, preset, smaller: size }) {
    const hasForm = findGenerate(preset) !== null;
    again.hidden = !hasForm;
    again.onclick = () => tryAgain(preset);
    smaller.hidden = !size || !hasForm;
    smaller.title = nameSmallerSize(size);
    smaller.onclick = () => trySmaller(token, preset);
  }

  /** @param {Message} message */
  function paint(message) {
    root.hidden = !message.headline;
    if (root.hidden) return;
    place(message);
    if (root.dataset.token !== message.token) details.open = false;
    root.dataset.token = message.token;
    setText(headline, message.headline);
    error.textContent = message.error;
    details.hidden = !message.error;
    paintWays(message);
  }

  function clear() {
    root.hidden = true;
  }

  return { paint, clear };
}
