// What a job that is open has made: one result large, and all of them as a strip below it.

/** @import { OpenJob, Result } from "./job.js" */

import { link } from "../library/address.js";
import { make, press } from "../library/elements.js";
import { followZoom } from "../looking/zooming.js";
import { drawLarge } from "./job_media.js";

/**
 * @typedef {object} StageActions
 * @property {(by: number) => boolean} hasNeighbour whether there is a job so many places further
 * @property {(by: number) => void} step opens that job
 * @property {(place: number) => void} pick shows another result
 */

/**
 * @param {"back" | "on"} direction
 * @param {string} sign
 * @param {string} label
 * @param {StageActions} actions
 */
function drawTurn(direction, sign, label, { hasNeighbour, step }) {
  const by = direction === "back" ? -1 : 1;
  const className = `cg-dialog-turn cg-past-turn-${direction}`;
  const button = press(className, sign, () => step(by), { label, title: "" });
  button.disabled = !hasNeighbour(by);
  return button;
}

/**
 * @param {Result} result
 * @param {number} place
 * @param {boolean} isShown
 * @param {StageActions} actions
 */
function drawPick(result, place, isShown, { pick }) {
  const label = `Result ${place + 1}`;
  const button = press("cg-past-pick", "", () => pick(place), { label, title: "" });
  button.setAttribute("aria-pressed", String(isShown));
  const hasPicture = result.kind === "image" && result.display;
  if (hasPicture) button.append(make("img", { src: link(result.display), alt: "" }));
  else button.append(String(place + 1));
  return button;
}

/**
 * Draw both; a key may enlarge the picture.
 *
 * @param {OpenJob} job
 * @param {number} place of the result that is large
 * @param {StageActions} actions
 */
export function drawStage(job, place, actions) {
  const stage = make(
    "div",
    { className: "cg-past-stage" },
    drawLarge(job, job.results[place]),
    drawTurn("back", "‹", "Newer", actions),
    drawTurn("on", "›", "Older", actions),
  );
  const root = make("div", { className: "cg-past-left" }, stage);
  if (job.results.length > 1) {
    const picks = job.results.map((result, index) => {
      return drawPick(result, index, index === place, actions);
    });
    root.append(make("div", { className: "cg-past-strip" }, ...picks));
  }
  const turn = (/** @type {number} */ by) => {
    if (actions.hasNeighbour(by)) actions.step(by);
  };
  const { followKey } = followZoom(stage, turn);
  return { root, followKey };
}
