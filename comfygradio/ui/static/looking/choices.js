// What can be done with a result, besides what stands below it.

/** @import { Desk } from "./desk.js" */
/** @import { Slide } from "./slides.js" */

import { saveWorkflow } from "../history/job_actions.js";
import { link } from "../library/address.js";
import { copyText } from "../library/clipboard.js";
import { make, press } from "../library/elements.js";
import { copyPicture, findAbilities, shareFile } from "../library/handing.js";
import { drawTargets, readTargets } from "../library/picture_targets.js";
import { writeSettings } from "./slides.js";

const NOT_COPIED = "It could not be copied.";

/**
 * @param {Desk} desk
 * @param {boolean} isCopied
 * @param {string} what
 */
function tellCopied({ say }, isCopied, what) {
  say(isCopied ? `${what} copied.` : NOT_COPIED);
}

/**
 * Draw what stands below a picture that is alone, each as a button or a link.
 *
 * @param {Slide} slide
 * @param {Desk} desk
 * @param {string} className of each
 */
export function drawMain({ job, place, result }, desk, className) {
  const url = link(result.url);
  const { canCopy, canShare } = findAbilities(result.kind);

  async function copyResult() {
    tellCopied(desk, await copyPicture(url), "The picture is");
  }

  async function share() {
    if (!(await shareFile(url, result.name))) desk.say("It could not be shared.");
  }

  const targets = result.kind === "image" ? readTargets() : [];
  const use = drawTargets(targets, (target) => desk.use({ job, place, result }, target));
  use.classList.add(className);
  const save = make("a", { className, href: url, download: result.name, textContent: "Download" });
  return [
    save,
    canCopy ? press(className, "Copy", copyResult, { title: "Copy the picture" }) : null,
    canShare ? press(className, "Share", share) : null,
    targets.length > 0 ? use : null,
  ];
}

/**
 * Draw the rest.
 *
 * @param {Slide} slide
 * @param {Desk} desk
 * @param {string} className of each
 */
export function drawRest({ job, result }, desk, className) {
  const url = link(result.url);

  async function copyLink() {
    tellCopied(desk, await copyText(url), "The link is");
  }

  async function copySettings() {
    const known = await desk.read(job.token);
    if (!known) return;
    const text = writeSettings(known.title, known.values);
    tellCopied(desk, await copyText(text), "The settings are");
  }

  const open = make("a", {
    className,
    href: url,
    target: "_blank",
    rel: "noopener",
    textContent: "Open in a new tab",
  });
  return [
    open,
    press(className, "Copy the link", copyLink),
    press(className, "Copy the settings", copySettings),
    press(className, "Open in ComfyUI", () => saveWorkflow(desk, job.token), {
      title: "Downloads the workflow; drop the file onto ComfyUI's canvas",
    }),
  ];
}
