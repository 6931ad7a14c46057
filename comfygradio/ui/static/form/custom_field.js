// What the fields share that Gradio lacks: a label, a help text, and a value.

/** @import { Part } from "../library/part.js" */

import { noteCustomValue } from "../page/custom_values.js";

/**
 * @typedef {object} CustomField
 * @property {HTMLElement} body the place for the field's own elements
 * @property {(value: any) => void} put makes this the field's value, and tells Gradio
 * @property {(value: any) => void} note notes what somebody is typing: it is not lost by a reload
 */

/**
 * Write the label and the help text of a field.
 *
 * @param {Part} part
 * @returns {CustomField}
 */
export function drawField({ element, props, trigger }) {
  const body = /** @type {HTMLElement} */ (element.querySelector(".cg-body"));
  const label = /** @type {HTMLElement} */ (element.querySelector(".cg-label"));
  const info = /** @type {HTMLElement} */ (element.querySelector(".cg-info"));
  label.textContent = props.title;
  info.textContent = props.info;
  info.hidden = !props.info;

  /** @param {any} value */
  function put(value) {
    props.value = value;
    noteCustomValue(element, value, false);
    trigger("change");
  }

  return { body, put, note: (value) => noteCustomValue(element, value, true) };
}
