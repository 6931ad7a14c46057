// A result of a job, large.

/** @import { Job, Result } from "./job.js" */

import { link } from "../library/address.js";
import { make, say } from "../library/elements.js";
import { isOver } from "../library/phases.js";
import { markZoomed } from "../looking/zooming.js";

/**
 * @param {Job} job
 * @param {Result} result
 */
function drawImage(job, result) {
  return make("img", {
    src: link(result.display),
    alt: job.text || "Result",
    width: result.width ?? 0,
    height: result.height ?? 0,
  });
}

/**
 * Draw a picture that can be enlarged in its place, or whatever else there is.
 *
 * @param {Job} job
 * @param {Result | undefined} result
 */
export function drawLarge(job, result) {
  const isPicture = result?.kind === "image" && !result.problem && !job.frame;
  if (!isPicture) return drawMedia(job, result);
  const picture = drawImage(job, result);
  picture.draggable = false;
  markZoomed(picture, result);
  return picture;
}

/**
 * @param {Job} job
 * @param {Result} result
 */
function drawPicture(job, result) {
  const picture = drawImage(job, result);
  const href = link(result.url);
  const title = "Open in full size";
  return make("a", { href, target: "_blank", rel: "noopener", title }, picture);
}

/**
 * Draw a result, or the newest preview, or say why there is none.
 *
 * @param {Job} job
 * @param {Result | undefined} result
 */
export function drawMedia(job, result) {
  if (job.frame) return make("img", { src: job.frame, alt: "Newest preview" });
  if (!result) return say("cg-past-why", isOver(job) ? "There is no picture." : job.line);
  if (result.problem) return say("cg-past-why", result.problem);
  if (result.kind === "text") {
    return make("pre", { className: "cg-text", textContent: result.text });
  }
  if (result.kind === "image") return drawPicture(job, result);
  const url = link(result.url);
  if (result.kind === "video") {
    return make("video", { src: url, controls: true, loop: true, muted: true, playsInline: true });
  }
  if (result.kind === "audio") return make("audio", { src: url, controls: true });
  return make("a", { href: url, textContent: result.name, className: "cg-file" });
}
