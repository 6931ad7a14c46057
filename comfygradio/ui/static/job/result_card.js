// Draws what a job has made.

/** @import { Target } from "../library/picture_targets.js" */
/** @import { Result } from "./job_message.js" */

import { link } from "../library/address.js";
import { make } from "../library/elements.js";
import { drawTargets, readTargets } from "../library/picture_targets.js";
import { nameSize } from "./job_words.js";

/**
 * Whether there is something to draw: not what could not be fetched.
 *
 * @param {Result} result
 */
export function isThere(result) {
  return result.url !== "" || result.kind === "text";
}

/**
 * @param {Result} result
 * @param {string} url
 * @param {string} words
 */
function drawMedia(result, url, words) {
  if (result.kind === "video") {
    return make("video", {
      ariaLabel: words,
      src: url,
      controls: true,
      loop: true,
      muted: true,
      playsInline: true,
    });
  }
  if (result.kind === "audio") {
    return make("audio", { ariaLabel: words, src: url, controls: true });
  }
  if (result.kind !== "image") {
    return make("a", { href: url, textContent: result.name, className: "cg-file" });
  }
  const image = make("img", {
    src: link(result.display),
    alt: words,
    width: result.width ?? 0,
    height: result.height ?? 0,
  });
  const title = "Open in full size";
  return make("a", { href: url, target: "_blank", rel: "noopener", title }, image);
}

/**
 * Draw a result.
 *
 * @param {Result} result
 * @param {string} words name it for those who do not see it
 * @param {(target: Target) => void} use puts a picture into a form
 */
export function drawResult(result, words, use) {
  if (result.kind === "text") {
    return make("pre", { className: "cg-text", textContent: result.text });
  }
  const url = link(result.url);
  const save = make("a", {
    className: "cg-save",
    href: url,
    download: result.name,
    textContent: "Download",
    title: `Download ${result.name}`,
  });
  const size = make("span", { textContent: nameSize(result) });
  const targets = result.kind === "image" ? readTargets() : [];
  const input = targets.length > 0 ? drawTargets(targets, use) : null;
  const foot = make("figcaption", {}, size, input, save);
  return make("figure", { className: "cg-card" }, drawMedia(result, url, words), foot);
}
