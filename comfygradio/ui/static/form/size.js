// A field with width and height, buttons for ratios, and one that swaps the sides.

/** @import { Part } from "../library/part.js" */

import { make, press } from "../library/elements.js";
import { drawField } from "./custom_field.js";
import { hasRatio, reshape, splitSize } from "./size_sides.js";

/** @type {[string, number][]} */
const RATIOS = [
  ["1:1", 1],
  ["4:3", 4 / 3],
  ["3:2", 1.5],
  ["16:9", 16 / 9],
  ["9:16", 9 / 16],
  ["2:3", 2 / 3],
  ["3:4", 0.75],
];

/** @param {Part} part */
export function mount(part) {
  const { props, watch } = part;
  const { body, put, note } = drawField(part);

  /** @param {string} name */
  function createSide(name) {
    const box = make("input", {
      type: "number",
      step: String(props.step),
      inputMode: "numeric",
    });
    if (props.low !== null) box.min = String(props.low);
    if (props.high !== null) box.max = String(props.high);
    box.setAttribute("aria-label", `${props.title}: ${name}`);
    box.addEventListener("input", () => note(read()));
    box.addEventListener("change", save);
    return box;
  }

  const width = createSide("width");
  const height = createSide("height");

  function markRatios() {
    for (const { button, ratio } of ratios) {
      const isPressed = hasRatio(Number(width.value), Number(height.value), ratio);
      button.setAttribute("aria-pressed", String(isPressed));
    }
  }

  function read() {
    return `${width.value}x${height.value}`;
  }

  function save() {
    markRatios();
    put(read());
  }

  /** @param {number} ratio */
  function applyRatio(ratio) {
    const size = reshape(Number(width.value), Number(height.value), ratio, props);
    width.value = String(size.width);
    height.value = String(size.height);
    save();
  }

  function swapSides() {
    const before = width.value;
    width.value = height.value;
    height.value = before;
    save();
  }

  function paint() {
    const size = splitSize(props.value);
    // A box that shows this already is left alone: somebody may be typing into it.
    if (width.value !== size.width || height.value !== size.height) {
      width.value = size.width;
      height.value = size.height;
    }
    markRatios();
  }

  const ratios = RATIOS.map(([name, ratio]) => {
    return { ratio, button: press("cg-small", name, () => applyRatio(ratio)) };
  });
  const swap = press("cg-icon cg-swap", "⇄", swapSides, { label: "Swap width and height" });
  const sign = make("span", { textContent: "×" });
  const buttons = ratios.map(({ button }) => button);
  body.append(
    make("div", { className: "cg-size" }, width, sign, height, swap),
    make("div", { className: "cg-ratios" }, ...buttons),
  );
  watch("value", paint);
  paint();
}
