// Two pictures in one place: a slider moves the line to whose right the other one is seen.

/** @import { Slide } from "./slides.js" */

import { link } from "../library/address.js";
import { make } from "../library/elements.js";
import { nameSlide } from "./slides.js";

/**
 * Draw them.
 *
 * @param {Slide} left
 * @param {Slide} right
 */
export function drawSlider(left, right) {
  const under = make("img", { src: link(left.result.display), alt: nameSlide(left) });
  const over = make("img", {
    src: link(right.result.display),
    alt: nameSlide(right),
    className: "cg-over",
  });
  const line = make("span", { className: "cg-cut" });
  const range = make("input", { type: "range", min: "0", max: "100", value: "50", step: "1" });
  range.setAttribute("aria-label", "Where the other picture begins");
  const root = make("div", { className: "cg-slider" }, under, over, line, range);

  function cut() {
    root.style.setProperty("--cg-cut", `${range.value}%`);
  }

  range.addEventListener("input", cut);
  cut();
  return root;
}
