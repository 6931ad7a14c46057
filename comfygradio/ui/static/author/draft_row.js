// A line of the list of fields: an input of the workflow to tick, to name and to move.

/** @import { DraftRow } from "./draft.js" */

import { make, press } from "../library/elements.js";

const NO_WIDGET = "—";

/**
 * @typedef {object} Line
 * @property {HTMLLIElement} root
 * @property {DraftRow} row
 * @property {HTMLInputElement} tick
 * @property {(mistake: string) => void} check says what is wrong with the row, and shows what goes
 *   with its state and its place
 */

/**
 * What is told of changes to the row.
 *
 * @typedef {object} Told
 * @property {() => void} edited
 * @property {(line: Line) => void} ticked tells also of *More settings*
 * @property {(line: Line, isUp: boolean) => void} moved
 */

/**
 * @param {string} value
 * @param {string} className
 */
function makeBox(value, className) {
  return make("input", { type: "text", value, className, autocomplete: "off" });
}

/** @param {DraftRow} row */
function makeWidgetBox(row) {
  const names = row.widgets.length ? row.widgets : [NO_WIDGET];
  const options = names.map((name) => make("option", { textContent: name, value: name }));
  const box = make("select", { className: "cg-box cg-pick-widget" }, ...options);
  box.value = row.widget || NO_WIDGET;
  box.disabled = row.widgets.length < 2;
  return box;
}

/**
 * Make the line of a row. It changes the row itself.
 *
 * @param {DraftRow} row
 * @param {Told} told
 * @returns {Line}
 */
export function createLine(row, told) {
  const tick = make("input", { type: "checkbox", className: "cg-tick", checked: row.on });
  const title = make("span", { className: "cg-pick-title", textContent: row.label });
  const label = makeBox(row.label, "cg-box cg-pick-label");
  const name = makeBox(row.name, "cg-box cg-pick-name cg-mono");
  name.spellcheck = false;
  const widget = makeWidgetBox(row);
  const more = make("input", { type: "checkbox", className: "cg-tick", checked: row.advanced });
  const up = press("cg-small", "↑", () => {
    told.moved(line, true);
    up.focus();
  });
  const down = press("cg-small", "↓", () => {
    told.moved(line, false);
    down.focus();
  });
  const unfold = press("cg-small cg-pick-unfold", "⋯", () => {
    unfold.ariaExpanded = String(root.classList.toggle("cg-unfolded"));
  });
  unfold.ariaExpanded = "false";
  const place = make("span", { className: "cg-pick-place", textContent: row.place });
  const error = make("p", { className: "cg-field-error", hidden: true });
  const root = make(
    "li",
    { className: "cg-pick" },
    tick,
    title,
    label,
    unfold,
    name,
    widget,
    make("span", { className: "cg-pick-order" }, up, down),
    make("label", { className: "cg-pick-more" }, more, "More settings"),
    place,
    error,
  );

  function nameControls() {
    tick.setAttribute("aria-label", `${row.label} is in the form`);
    label.setAttribute("aria-label", `Label of ${row.name}`);
    name.setAttribute("aria-label", `Name of ${row.label}`);
    widget.setAttribute("aria-label", `Kind of ${row.label}`);
    up.setAttribute("aria-label", `Move ${row.label} up`);
    down.setAttribute("aria-label", `Move ${row.label} down`);
    unfold.setAttribute("aria-label", `More about ${row.label}`);
  }

  /** @param {string} mistake */
  function check(mistake) {
    error.textContent = mistake;
    error.hidden = mistake === "";
    name.toggleAttribute("aria-invalid", mistake !== "");
    root.classList.toggle("cg-off", !row.on);
    up.disabled = root.previousElementSibling === null;
    down.disabled = root.nextElementSibling === null;
  }

  tick.addEventListener("change", () => {
    row.on = tick.checked;
    told.ticked(line);
  });
  label.addEventListener("input", () => {
    row.label = label.value;
    nameControls();
    told.edited();
  });
  name.addEventListener("input", () => {
    row.name = name.value;
    nameControls();
    told.edited();
  });
  widget.addEventListener("change", () => {
    row.widget = widget.value;
    told.edited();
  });
  more.addEventListener("change", () => {
    row.advanced = more.checked;
    told.ticked(line);
    more.focus();
  });
  nameControls();
  const line = { root, row, tick, check };
  return line;
}
