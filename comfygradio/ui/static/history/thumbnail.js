// What the card of a job shows of it.

/** @import { Job, Result } from "./job.js" */

import { link } from "../library/address.js";
import { make } from "../library/elements.js";
import { explainNothing } from "./job_words.js";

const MAX_CHARACTERS = 300;

/** Loads videos once they are nearly seen. */
const seen = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting || !(target instanceof HTMLVideoElement)) continue;
      target.src = target.dataset.src ?? "";
      seen.unobserve(target);
    }
  },
  { rootMargin: "400px" },
);

/** @param {Result} result */
function drawVideo(result) {
  const video = make("video", { muted: true, preload: "metadata", playsInline: true });
  // The very first picture of a video is often black.
  video.dataset.src = `${link(result.url)}#t=0.1`;
  seen.observe(video);
  return video;
}

/** @param {Result} result */
function drawPicture(result) {
  return make("img", { src: link(result.display), alt: "", loading: "lazy", decoding: "async" });
}

/**
 * Draw the newest preview, or the first result that can be shown, or say why there is none.
 *
 * @param {Job} job
 */
export function drawThumbnail(job) {
  if (job.frame) return make("img", { src: job.frame, alt: "", className: "cg-past-frame" });
  const shown = job.results.find(({ kind, display }) => {
    return display && (kind === "image" || kind === "video");
  });
  if (shown) return shown.kind === "image" ? drawPicture(shown) : drawVideo(shown);
  const words = job.results.find((result) => result.text);
  if (words) {
    const textContent = words.text.slice(0, MAX_CHARACTERS);
    return make("span", { className: "cg-past-words", textContent });
  }
  if (job.results.some((result) => result.kind === "audio")) {
    return make("span", { className: "cg-past-sign", textContent: "♪" });
  }
  const textContent = explainNothing(job);
  return make("span", { className: "cg-past-words cg-past-why", textContent });
}
