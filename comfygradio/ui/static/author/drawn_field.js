// Draws the fields of a form as people will see them; they do nothing.

/** @import { PreviewField } from "./preview_field.js" */

import { make, press, say } from "../library/elements.js";
import { describeField } from "./preview_field.js";

/** Sizes to choose from are buttons up to this number. */
const MAX_BUTTONS = 5;

/** @type {Record<string, (field: PreviewField) => HTMLElement>} */
const CONTROLS = {
  text: drawText,
  textarea: drawTextArea,
  number: drawNumber,
  slider: drawSlider,
  dropdown: drawDropdown,
  radio: drawRadio,
  seed: drawSeed,
  size: drawSize,
  color: drawColor,
  loras: drawLoras,
  image: () => drawDrop("Drop a picture here"),
  mask: () => drawDrop("Drop a picture here, then paint over it"),
  video: () => drawDrop("Drop a video here"),
  audio: () => drawDrop("Drop a sound here"),
  file: () => drawDrop("Drop a file here"),
};

/** @param {PreviewField} field */
function writeValue({ value }) {
  return String(value ?? "");
}

/**
 * @param {string} value
 * @param {string} placeholder
 */
function makeTextBox(value, placeholder = "") {
  return make("input", { type: "text", className: "cg-box", value, placeholder });
}

/** @param {PreviewField} field */
function drawText(field) {
  return makeTextBox(writeValue(field), field.placeholder);
}

/** @param {PreviewField} field */
function drawTextArea(field) {
  const { placeholder } = field;
  return make("textarea", { className: "cg-box", rows: 3, value: writeValue(field), placeholder });
}

/** @param {PreviewField} field */
function drawNumber(field) {
  return make("input", {
    className: "cg-box",
    type: typeof field.value === "string" ? "text" : "number",
    value: writeValue(field),
    min: field.low,
    max: field.high,
    step: field.step,
  });
}

/**
 * Make a part of a slider. Its value comes last: a slider bends one that is beyond its limits.
 *
 * @param {string} type
 * @param {string} className
 * @param {PreviewField} field
 */
function makeSliderPart(type, className, field) {
  const { low: min, high: max, step } = field;
  return make("input", { type, className, min, max, step, value: writeValue(field) });
}

/** @param {PreviewField} field */
function drawSlider(field) {
  const range = makeSliderPart("range", "cg-range", field);
  const number = makeSliderPart("number", "cg-box cg-narrow", field);
  number.ariaLabel = `${field.label} as a number`;
  range.addEventListener("input", () => {
    number.value = range.value;
  });
  number.addEventListener("input", () => {
    range.value = number.value;
  });
  return make("div", { className: "cg-drawn-slider" }, range, number);
}

/** @param {PreviewField} field */
function drawDropdown({ choices, optional, value, more }) {
  const names = choices ?? [];
  const entries = optional ? ["None", ...names] : names;
  const hasSeveral = Array.isArray(value);
  const options = entries.map((text) => {
    const selected = hasSeveral && value.includes(text);
    return make("option", { textContent: text, value: text, selected });
  });
  const select = make("select", { className: "cg-box", multiple: hasSeveral }, ...options);
  if (more) {
    select.append(make("option", { textContent: `… and ${more} more`, disabled: true }));
  }
  if (!hasSeveral) select.value = String(value || entries[0] || "");
  return select;
}

/** @param {PreviewField} field */
function drawRadio({ choices, value }) {
  const names = choices ?? [];
  /** @type {HTMLButtonElement[]} */
  const pills = names.map((text) => {
    const pill = press("cg-pill", text, () => {
      for (const one of pills) one.ariaPressed = String(one === pill);
    });
    pill.ariaPressed = String(text === value);
    return pill;
  });
  return make("div", { className: "cg-pills" }, ...pills);
}

/** @param {PreviewField} field */
function drawSeed(field) {
  return make(
    "div",
    { className: "cg-size" },
    makeTextBox(writeValue(field), "new every time"),
    make("span", { className: "cg-drawn-icon cg-dice" }),
    make("span", { className: "cg-drawn-icon cg-lock" }),
  );
}

/** @param {PreviewField} field */
function drawSize(field) {
  if (field.choices) {
    return field.choices.length <= MAX_BUTTONS ? drawRadio(field) : drawDropdown(field);
  }
  const [width = "", height = ""] = writeValue(field).split("x");
  const boxes = [width, height].map((value) => {
    return make("input", { type: "number", className: "cg-box", value });
  });
  boxes[1].ariaLabel = `${field.label}: height`;
  return make("div", { className: "cg-size" }, boxes[0], "×", boxes[1]);
}

/** @param {PreviewField} field */
function drawColor({ value }) {
  return make("input", { type: "color", className: "cg-color", value: value ?? "#000000" });
}

/** @param {{ name: string, strength: number }} lora */
function drawLora({ name, strength }) {
  const box = make("input", {
    type: "number",
    className: "cg-box cg-narrow",
    value: String(strength),
    step: "0.05",
    ariaLabel: `Strength of ${name}`,
  });
  const names = makeTextBox(name);
  names.ariaLabel = "LoRA";
  return make("div", { className: "cg-size" }, names, box);
}

/** @param {PreviewField} field */
function drawLoras({ value }) {
  /** @type {{ name: string, strength: number }[]} */
  const loras = value || [];
  const add = make("span", { className: "cg-small", textContent: "Add a LoRA" });
  return make("div", { className: "cg-lora-rows" }, ...loras.map(drawLora), add);
}

/** @param {string} text */
function drawDrop(text) {
  return make("div", { className: "cg-drawn-drop", textContent: text });
}

/** @param {PreviewField} field */
function drawCheckbox({ value, label }) {
  const tick = make("input", { type: "checkbox", className: "cg-tick", checked: Boolean(value) });
  return make("label", { className: "cg-drawn-tick" }, tick, label);
}

/** @param {PreviewField} field */
function drawLabelled(field) {
  const draw = CONTROLS[field.widget] ?? drawText;
  const control = draw(field);
  const isBox = control.matches("input, select, textarea");
  const box = isBox ? control : control.querySelector("input");
  box?.setAttribute("aria-label", field.label);
  return control;
}

/**
 * Draw a field.
 *
 * @param {PreviewField} field
 */
export function drawField(field) {
  const text = describeField(field);
  const info = text ? say("cg-info", text) : null;
  if (field.widget === "checkbox") {
    return make("div", { className: "cg-field" }, drawCheckbox(field), info);
  }
  const label = make("span", { className: "cg-label", textContent: field.label });
  return make("div", { className: "cg-field" }, label, info, drawLabelled(field));
}
