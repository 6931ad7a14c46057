// Draws a form as people will see it; it does nothing.

/** @import { PreviewField } from "./preview_field.js" */

import { make, say } from "../library/elements.js";
import { drawField } from "./drawn_field.js";
import { groupFields } from "./preview_field.js";

/**
 * A form as the app describes it.
 *
 * @typedef {object} PreviewForm
 * @property {string} title
 * @property {string} description
 * @property {string[]} examples
 * @property {PreviewField[]} fields
 */

/**
 * @param {PreviewField[]} fields
 * @returns {HTMLElement[]}
 */
function drawFields(fields) {
  return groupFields(fields).flatMap(({ group, members }) => {
    const drawn = members.map(drawField);
    if (!group) return drawn;
    const heading = make("b", { textContent: group });
    return [make("section", { className: "cg-drawn-group" }, heading, ...drawn)];
  });
}

function drawGenerate() {
  const properties = { className: "cg-drawn-generate", disabled: true, textContent: "Generate" };
  return make("button", { type: "button", ...properties });
}

/**
 * Draw a form.
 *
 * @param {PreviewForm} form
 * @param {boolean} isOpen whether *More settings* is unfolded
 * @returns {HTMLElement[]}
 */
export function drawForm({ title, description, examples, fields }, isOpen) {
  const simple = fields.filter((field) => !field.advanced);
  const advanced = fields.filter((field) => field.advanced);
  const heading = make(
    "div",
    { className: "cg-heading" },
    make("h2", { textContent: title }),
    make("p", { textContent: description }),
  );
  /** @type {HTMLElement[]} */
  const drawn = [say("cg-form-caption", "The form, as people will see it"), heading];
  drawn.push(...drawFields(simple));
  if (advanced.length) {
    const summary = make("summary", { textContent: "More settings" });
    const properties = { className: "cg-drawn-more", open: isOpen };
    drawn.push(make("details", properties, summary, ...drawFields(advanced)));
  }
  if (examples.length) {
    const pills = examples.map((text) => {
      return make("span", { className: "cg-drawn-example", textContent: text });
    });
    drawn.push(make("div", { className: "cg-pills" }, ...pills));
  }
  drawn.push(drawGenerate());
  return drawn;
}
