// A field with rows of a LoRA and its strength.

/** @import { Part } from "../library/part.js" */
/** @import { Model } from "./model_name.js" */

import { make, press } from "../library/elements.js";
import { drawField } from "./custom_field.js";
import { createModelLine, openModels } from "./model_line.js";
import { splitModel } from "./model_name.js";
import { createModelSource } from "./model_source.js";
import { chooseRange } from "./strength_range.js";

/** @typedef {{ name: string, strength: number }} Lora */

/**
 * @typedef {object} Row
 * @property {HTMLElement} root
 * @property {() => Lora} read
 */

/** @param {Part} part */
export function mount(part) {
  const { props, watch } = part;
  const { body, put, note } = drawField(part);
  const source = createModelSource(part);
  const place = make("div", { className: "cg-lora-rows" });
  /** @type {Row[]} */
  let rows = [];
  /** The value that the rows show, as JSON. */
  let painted = "";

  function read() {
    return rows.map((row) => row.read());
  }

  function save() {
    const value = read();
    painted = JSON.stringify(value);
    put(value);
  }

  /**
   * Make the two inputs of a strength. The box holds it: a slider knows only its steps.
   *
   * @param {number} strength
   */
  function createStrength(strength) {
    const box = make("input", { type: "number", step: String(props.step), title: "Strength" });
    box.value = String(strength);
    box.setAttribute("aria-label", "Strength");
    if (props.low !== null) box.min = String(props.low);
    if (props.high !== null) box.max = String(props.high);
    const slider = make("input", { type: "range", step: String(props.step), title: "Strength" });
    slider.setAttribute("aria-label", "Strength");

    function readBox() {
      return box.value === "" ? 1 : Number(box.value);
    }

    function follow() {
      const [low, high] = chooseRange(readBox(), props.low, props.high);
      slider.min = String(low);
      slider.max = String(high);
      slider.value = String(readBox());
    }

    box.addEventListener("input", () => note(read()));
    box.addEventListener("change", () => {
      follow();
      save();
    });
    slider.addEventListener("input", () => {
      box.value = slider.value;
    });
    slider.addEventListener("change", save);
    follow();
    const label = make("span", { className: "cg-lora-label", textContent: "Strength" });
    label.setAttribute("aria-hidden", "true");
    const root = make("div", { className: "cg-lora-strength" }, label, slider, box);
    return { root, read: readBox };
  }

  /**
   * @param {Model} model
   * @param {number} strength
   * @returns {Row}
   */
  function createRow(model, strength) {
    let chosen = model.value;
    const line = createModelLine(source, {
      label: "LoRA",
      model,
      pick: ({ value }) => {
        chosen = value;
        save();
      },
    });
    const number = createStrength(strength);
    const remove = press(
      "cg-small cg-remove",
      "✕",
      () => {
        rows = rows.filter((other) => other !== row);
        root.remove();
        save();
      },
      { label: "Remove" },
    );
    const root = make("div", { className: "cg-lora" }, line.root, remove, number.root);
    const row = { root, read: () => ({ name: chosen, strength: number.read() }) };
    return row;
  }

  function paint() {
    /** @type {Lora[]} */
    const value = props.value ?? [];
    const text = JSON.stringify(value);
    if (text === painted) return;
    painted = text;
    rows = value.map(({ name, strength }) => createRow(splitModel(name), strength));
    place.replaceChildren(...rows.map((row) => row.root));
  }

  const add = press("cg-small", "Add a LoRA", () => {
    openModels(source, {
      title: props.title,
      value: null,
      pick: (model) => {
        const row = createRow(model, 1);
        rows.push(row);
        place.append(row.root);
        save();
      },
    });
  });
  body.append(place, add);
  watch("value", paint);
  paint();
}
