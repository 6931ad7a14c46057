// Paints the job that the tab shows.

/** @import { Message } from "./job_message.js" */
/** @import { ResultActions } from "./result_actions.js" */

import { make, typeInto } from "../library/elements.js";
import { isOver } from "../library/phases.js";
import { find } from "../library/template.js";
import { createFailure } from "./failure.js";
import { nameDetails, nameResult, nameSummary, nameTimes } from "./job_words.js";
import { keepLastSeed } from "./last_seed.js";
import { createPreview } from "./preview.js";
import { drawResult, isThere } from "./result_card.js";

/**
 * Put a seed into the form of this preset; if it has no box for one, into the form that is shown.
 *
 * @param {string} preset
 * @param {string} seed
 */
function fillSeed(preset, seed) {
  /** @type {NodeListOf<HTMLInputElement | HTMLTextAreaElement>} */
  const boxes = document.querySelectorAll(".cg-panel .cg-seed :is(textarea, input)");
  const own = [...boxes].find((one) => one.closest(`#cg-panel-${CSS.escape(preset)}`));
  const box = own ?? [...boxes].find((one) => one.checkVisibility());
  if (box && seed) typeInto(box, seed);
}

/**
 * @param {HTMLElement} view
 * @param {(event: string, detail: object) => void} trigger
 * @param {ResultActions} actions
 */
export function createPainter(view, trigger, actions) {
  const progress = find(view, "cg-progress");
  const bar = find(view, "cg-bar");
  const fill = find(view, "cg-fill");
  const line = find(view, "cg-line");
  const times = find(view, "cg-time");
  const stop = find(view, "cg-stop");
  const results = find(view, "cg-results");
  const nothing = find(view, "cg-nothing");
  const warnings = find(view, "cg-warnings");
  const caption = find(view, "cg-caption");
  const summary = find(view, "cg-summary");
  const reuse = find(view, "cg-reuse");
  const layoutNotes = find(view, "cg-layout-notes");
  /** What the cards show, as JSON; "" if there are none. */
  let shownResults = "";
  const preview = createPreview(view, clearResults);
  const failure = createFailure(view, trigger);

  function clearResults() {
    shownResults = "";
    results.replaceChildren();
  }

  /**
   * @param {Message} message
   * @param {boolean} isStopping whether it was asked to stop
   */
  function paintProgress(message, isStopping) {
    fill.style.transform = `translateX(${message.percent - 100}%)`;
    bar.setAttribute("aria-valuenow", String(message.percent));
    line.textContent = isStopping ? "Stopping" : message.line;
    line.classList.toggle("cg-told", message.told && !isStopping);
    line.title = nameDetails(message);
    times.textContent = nameTimes(message);
  }

  /** @param {string[]} texts */
  function paintWarnings(texts) {
    const items = texts.map((text) => make("li", { textContent: text }));
    warnings.replaceChildren(...items);
    warnings.hidden = texts.length === 0;
  }

  /** @param {Message} message */
  function paintResults(message) {
    const there = message.results.filter(isThere);
    const isEmpty = there.length === 0;
    nothing.hidden = message.phase !== "stopped" || !isEmpty || !preview.isHidden();
    if (isEmpty) {
      if (message.phase === "done") preview.clear();
      return;
    }
    // While another job goes on there are further messages: a video would begin anew with each.
    const now = JSON.stringify([message.token, message.title, there]);
    if (now === shownResults) return;
    shownResults = now;
    const isAlone = there.length === 1;
    const cards = there.map((result, index) => {
      const words = nameResult(message, index, there.length);
      return drawResult(result, words, isAlone, actions.listFor(message, result, isAlone));
    });
    results.replaceChildren(...cards);
    results.dataset.count = String(there.length);
    settle(message.token);
  }

  /**
   * Take the last preview away once the pictures themselves can be shown.
   *
   * @param {string} token
   */
  async function settle(token) {
    const images = [...results.querySelectorAll("img")];
    await Promise.allSettled(images.map((image) => image.decode()));
    if (view.dataset.token === token) preview.clear();
  }

  /** @param {string[]} texts */
  function paintLayoutNotes(texts) {
    const lines = texts.map((text) => make("p", { textContent: text }));
    layoutNotes.querySelector("div")?.replaceChildren(...lines);
    layoutNotes.hidden = texts.length === 0;
  }

  /** @param {Message} message */
  function paintEnd(message) {
    summary.textContent = nameSummary(message);
    reuse.hidden = !message.seed;
    reuse.onclick = () => fillSeed(message.preset, message.seed);
    keepLastSeed(message.preset, message.seed);
    actions.paint(message);
    paintLayoutNotes(message.layoutNotes);
    caption.hidden = false;
    paintResults(message);
  }

  /**
   * @param {Message} message
   * @param {boolean} isStopping whether the job was asked to stop
   */
  function paint(message, isStopping) {
    const isDone = isOver(message);
    view.dataset.phase = message.phase;
    view.dataset.token = message.token;
    progress.hidden = isDone;
    paintProgress(message, isStopping && !isDone);
    failure.paint(message);
    paintWarnings(message.warnings);
    if (isDone) {
      paintEnd(message);
      return;
    }
    caption.hidden = true;
    disableStop(isStopping);
  }

  /**
   * A button that is really disabled would lose the keyboard.
   *
   * @param {boolean} isDisabled
   */
  function disableStop(isDisabled) {
    stop.setAttribute("aria-disabled", String(isDisabled));
  }

  /** Say that the job which is shown is being stopped. */
  function paintStopping() {
    disableStop(true);
    line.textContent = "Stopping";
  }

  /** Take away what is shown of a job. */
  function clearStage() {
    preview.clear();
    nothing.hidden = true;
    failure.clear();
    clearResults();
  }

  /** Show that there is no job. */
  function paintNothing() {
    view.dataset.phase = "idle";
    progress.hidden = true;
    failure.clear();
    preview.clear();
  }

  return {
    paint,
    paintFrame: preview.paint,
    clearFrame: preview.clear,
    clearStage,
    paintNothing,
    paintStopping,
    enableStop: () => disableStop(false),
  };
}
