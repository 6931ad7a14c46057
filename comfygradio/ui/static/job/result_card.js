// Draws what a job has made.

/** @import { Target } from "../library/picture_targets.js" */
/** @import { Result } from "./job_message.js" */

import { link } from "../library/address.js";
import { make, press } from "../library/elements.js";
import { copyPicture, findAbilities, shareFile } from "../library/handing.js";
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
 * What can be done with a result.
 *
 * @typedef {object} CardActions
 * @property {(target: Target) => void} use puts a picture into a form
 * @property {() => void} look shows it large
 * @property {(button: HTMLElement) => void} offer shows what else can be done
 * @property {(text: string) => void} say says something in passing
 */

/**
 * Whether a press on a link asks for a tab or a window of its own.
 *
 * @param {MouseEvent} event
 */
function isForTab(event) {
  return event.ctrlKey || event.metaKey || event.shiftKey;
}

/**
 * @param {Result} result
 * @param {string} url
 * @param {string} words
 * @param {() => void} look
 */
function drawMedia(result, url, words, look) {
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
  const title = "Show large";
  const opener = make("a", { href: url, target: "_blank", rel: "noopener", title }, image);
  opener.addEventListener("click", (event) => {
    if (isForTab(event)) return;
    event.preventDefault();
    look();
  });
  return opener;
}

/**
 * Draw what copies a picture or shares a file, whichever the browser has; null if it has none.
 *
 * @param {Result} result
 * @param {string} url
 * @param {(text: string) => void} say
 */
function drawHanding({ kind, name }, url, say) {
  const { canCopy, canShare } = findAbilities(kind);

  async function copy() {
    say((await copyPicture(url)) ? "The picture is copied." : "It could not be copied.");
  }

  async function share() {
    if (!(await shareFile(url, name))) say("It could not be shared.");
  }

  if (canCopy) return press("cg-hand", "Copy", copy, { title: "Copy the picture" });
  if (canShare) return press("cg-hand", "Share", share);
  return null;
}

/**
 * Draw a result.
 *
 * @param {Result} result
 * @param {string} words name it for those who do not see it
 * @param {boolean} isAlone whether it is the only one: of several, each shows less
 * @param {CardActions} actions
 */
export function drawResult(result, words, isAlone, { use, look, offer, say }) {
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
  const targets = result.kind === "image" && isAlone ? readTargets() : [];
  const input = targets.length > 0 ? drawTargets(targets, use) : null;
  const hand = isAlone ? drawHanding(result, url, say) : null;
  const hasMore = ["image", "video", "audio"].includes(result.kind);
  const label = `More for ${words}`;
  /** @type {HTMLButtonElement} */
  const more = press("cg-more", "⋯", () => offer(more), { label, title: "More" });
  more.setAttribute("aria-haspopup", "dialog");
  const foot = make("figcaption", {}, size, input, hand, save, hasMore ? more : null);
  return make("figure", { className: "cg-card" }, drawMedia(result, url, words, look), foot);
}
