// A field with rows of a LoRA's name and its strength.

/** @import { Part } from "../library/part.js" */

import { createCombobox } from "../library/combobox.js";
import { make, press } from "../library/elements.js";
import { drawField } from "./custom_field.js";

/** @typedef {{ name: string, strength: number }} Lora */

/**
 * @typedef {object} Row
 * @property {HTMLElement} root
 * @property {() => Lora} read
 * @property {() => void} focus gives the keyboard to the name
 */

/** @param {Part} part */
export function mount(part) {
  const { props, watch, server } = part;
  const { body, put } = drawField(part);
  const place = make("div", { className: "cg-lora-rows" });
  place.dataset.rows = "";
  /** @type {Row[]} */
  let rows = [];
  /** The value that the rows show, as JSON. */
  let painted = "";

  function save() {
    const value = rows.map((row) => row.read());
    painted = JSON.stringify(value);
    put(value);
  }

  /** @param {number} strength */
  function createStrength(strength) {
    const box = make("input", {
      type: "number",
      value: String(strength),
      step: String(props.step),
      title: "Strength",
    });
    if (props.low !== null) box.min = String(props.low);
    if (props.high !== null) box.max = String(props.high);
    box.setAttribute("aria-label", "Strength");
    box.addEventListener("change", save);
    return box;
  }

  /**
   * @param {Lora} lora
   * @returns {Row}
   */
  function createRow({ name, strength }) {
    let chosen = name;
    const names = createCombobox({
      label: "LoRA",
      shown: name,
      total: props.total,
      search: (query) => server.search([query]),
      pick: (value) => {
        chosen = value;
        root.dataset.row = value;
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
    const root = make("div", { className: "cg-lora" }, names.root, number, remove);
    // What is typed into the row is kept for this LoRA.
    root.dataset.row = name;

    function read() {
      const typed = number.value === "" ? 1 : Number(number.value);
      return { name: chosen, strength: typed };
    }

    const row = { root, read, focus: () => names.input.focus() };
    return row;
  }

  function paint() {
    /** @type {Lora[]} */
    const value = props.value ?? [];
    const text = JSON.stringify(value);
    if (text === painted) return;
    painted = text;
    rows = value.map(createRow);
    place.replaceChildren(...rows.map((row) => row.root));
  }

  const add = press("cg-small", "Add a LoRA", () => {
    const row = createRow({ name: "", strength: 1 });
    rows.push(row);
    place.append(row.root);
    row.focus();
  });
  body.append(place, add);
  watch("value", paint);
  paint();
}
