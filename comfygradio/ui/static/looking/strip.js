// What was made last, in small.

/** @import { Slide } from "./slides.js" */

import { link } from "../library/address.js";
import { make, press } from "../library/elements.js";
import { nameSlide } from "./slides.js";

/** @param {Slide} slide */
function drawSmall({ result }) {
  if (result.kind === "image") {
    const src = `${link(result.display)}?small=1`;
    return make("img", { src, alt: "", loading: "lazy", decoding: "async" });
  }
  if (result.kind === "audio") return make("span", { textContent: "♪" });
  const video = make("video", {
    muted: true,
    preload: "metadata",
    playsInline: true,
    tabIndex: -1,
  });
  // The very first picture of a video is often black.
  video.src = `${link(result.url)}#t=0.1`;
  return video;
}

/**
 * Draw a slide as a button.
 *
 * @param {Slide} slide
 * @param {string} label
 * @param {() => void} action
 */
export function drawPick(slide, label, action) {
  const button = press("cg-pick", "", action, { label, title: "" });
  button.append(drawSmall(slide));
  return button;
}

/**
 * Make the strip.
 *
 * @param {HTMLElement} root
 * @param {(slide: Slide) => void} look shows a result large
 */
export function createStrip(root, look) {
  const list = /** @type {HTMLElement} */ (root.querySelector("ul"));
  /** The buttons, by what they show. @type {Map<string, HTMLElement>} */
  let items = new Map();

  /** @param {Slide} slide */
  function drawItem(slide) {
    return make(
      "li",
      {},
      drawPick(slide, `Show ${nameSlide(slide)}`, () => look(slide)),
    );
  }

  /** @param {Slide[]} slides */
  function paint(slides) {
    /** @type {Map<string, HTMLElement>} */
    const drawn = new Map();
    for (const slide of slides) {
      const key = `${slide.job.token} ${slide.place}`;
      // A picture that is there is not loaded again.
      drawn.set(key, items.get(key) ?? drawItem(slide));
    }
    items = drawn;
    list.replaceChildren(...drawn.values());
    root.hidden = slides.length === 0;
  }

  return { paint };
}
