// The buttons below the title of a job that is open.

/** @import { Target } from "../library/picture_targets.js" */
/** @import { OpenJob, Result } from "./job.js" */

import { link } from "../library/address.js";
import { make, press } from "../library/elements.js";
import { isOver } from "../library/phases.js";
import { drawTargets } from "../library/picture_targets.js";

/**
 * What they do.
 *
 * @typedef {object} JobActions
 * @property {() => void} useSettings
 * @property {(target: Target) => void} usePicture
 * @property {(button: HTMLButtonElement) => void} fetchAgain gets the button that was pressed
 * @property {() => void} turnFavourite
 * @property {() => void} saveWorkflow
 * @property {() => void} stop
 * @property {() => void} moveToTrash
 */

/** @param {Result} result */
function drawDownload(result) {
  return make("a", {
    className: "cg-small",
    href: link(result.url),
    download: result.name,
    textContent: "Download",
  });
}

/** @param {Result} result */
function drawOpenInTab(result) {
  return make("a", {
    className: "cg-small",
    href: link(result.url),
    target: "_blank",
    rel: "noopener",
    textContent: "Open in a new tab",
  });
}

/** @param {JobActions} actions */
function drawFetchAgain({ fetchAgain }) {
  const title = "Ask ComfyUI for the file once more";
  /** @type {HTMLButtonElement} */
  const button = press("cg-small", "Fetch again", () => fetchAgain(button), { title });
  return button;
}

/**
 * @param {OpenJob} job
 * @param {JobActions} actions
 */
function drawStar(job, { turnFavourite }) {
  const text = job.favourite ? "★ Favourite" : "☆ Favourite";
  const star = press("cg-small", text, turnFavourite);
  star.setAttribute("aria-pressed", String(job.favourite));
  return star;
}

/**
 * @param {OpenJob} job
 * @param {JobActions} actions
 */
function drawSaveWorkflow(job, { saveWorkflow }) {
  let title = "Downloads the workflow (API format); drop the file onto ComfyUI's canvas";
  if (job.hasLayout) {
    title =
      "Downloads the workflow as its author arranged it, with the values used (UI format); " +
      "drop the file onto ComfyUI's canvas";
  }
  return press("cg-small", "Download the workflow", saveWorkflow, { title });
}

/** @param {JobActions} actions */
function drawStop({ stop }) {
  /** @type {HTMLButtonElement} */
  const button = press("cg-small", "Stop", () => {
    button.disabled = true;
    stop();
  });
  return button;
}

/**
 * Draw them.
 *
 * @param {OpenJob} job
 * @param {Result | undefined} result that is shown
 * @param {Target[]} targets what takes a picture
 * @param {JobActions} actions
 */
export function drawButtons(job, result, targets, actions) {
  /** @type {HTMLElement[]} */
  const buttons = [];
  if (job.canUse) buttons.push(press("cg-take", "Use these settings", actions.useSettings));
  if (result?.kind === "image" && result.url && targets.length) {
    buttons.push(drawTargets(targets, actions.usePicture));
  }
  if (result?.url) buttons.push(drawDownload(result), drawOpenInTab(result));
  if (job.results.some((one) => one.again)) buttons.push(drawFetchAgain(actions));
  buttons.push(drawStar(job, actions), drawSaveWorkflow(job, actions));
  if (isOver(job)) {
    buttons.push(press("cg-small cg-past-danger", "Delete", actions.moveToTrash));
  } else {
    buttons.push(drawStop(actions));
  }
  return make("div", { className: "cg-past-actions" }, ...buttons);
}
