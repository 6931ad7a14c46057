// Says above Generate and beside the fields what was refused. What is said of a field goes as soon
// as that field changes.

/** @import { Part } from "../library/part.js" */
/** @import { Refusal } from "./refusal.js" */

import { make } from "../library/elements.js";
import { countUp, markCounting } from "./counting.js";
import { createFieldErrors } from "./field_errors.js";
import { forgetField, readRefusal } from "./refusal.js";

const CONTROLS = "textarea, input:not([type=hidden], [type=file]), select, button, [tabindex='0']";

/** How many frames a part of the form that is unfolded may take to be drawn. */
const FRAMES = 120;

/** What each form does when one of its fields has changed. */
/** @type {Map<string, (id: string) => void>} */
const forgetting = new Map();

/**
 * Forget what is wrong with a field of a form, since it has changed.
 *
 * @param {string} preset
 * @param {string} id of the field's element
 */
export function forgetProblem(preset, id) {
  forgetting.get(preset)?.(id);
}

/** What says what is wrong with each form. @type {Map<string, (refusal: object) => void>} */
const telling = new Map();

/**
 * Say what is wrong with a form, or that nothing is.
 *
 * @param {string} preset
 * @param {object} refusal as Python says it
 */
export function tellProblem(preset, refusal) {
  telling.get(preset)?.(refusal);
}

function choosePace() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";
}

/**
 * Unfold what is around a field. Gradio may not have drawn what is inside: then all of the form is
 * unfolded.
 *
 * @param {string} preset
 * @param {HTMLElement | null} field
 */
function unfold(preset, field) {
  const panel = document.getElementById(`cg-panel-${preset}`);
  /** @type {Iterable<HTMLElement>} */
  const labels = panel?.querySelectorAll(".label-wrap:not(.open)") ?? [];
  const around = [...labels].filter((label) => !field || label.parentElement?.contains(field));
  for (const label of around) label.click();
}

/**
 * Wait until an element is there and seen, or for so many frames.
 *
 * @param {string} id
 * @param {number} frames
 * @param {() => void} then
 */
function waitUntilSeen(id, frames, then) {
  if (frames === 0 || document.getElementById(id)?.checkVisibility()) {
    then();
    return;
  }
  requestAnimationFrame(() => waitUntilSeen(id, frames - 1, then));
}

/** @param {HTMLElement} field */
function focusControl(field) {
  /** @type {NodeListOf<HTMLElement>} */
  const controls = field.querySelectorAll(CONTROLS);
  const control = [...controls].find((one) => one.checkVisibility());
  control?.focus({ preventScroll: true });
}

/** @param {Part} part */
export function mount({ element, props, watch }) {
  /** @type {string} */
  const preset = props.preset;
  const note = /** @type {HTMLElement} */ (element.querySelector(".cg-note"));
  const errors = createFieldErrors(preset, forget);
  /** What was left of a refusal when a field changed, which is nothing new. @type {Refusal | null} */
  let left = null;

  /** @param {Refusal} refusal */
  function markFields({ fields }) {
    for (const [id, text] of fields) errors.mark(id, text);
  }

  function paint() {
    const refusal = readRefusal(props.value);
    const lines = refusal.lines.map((text) => make("p", { textContent: text }));
    errors.clear();
    note.hidden = lines.length === 0;
    note.replaceChildren(...lines);
    markFields(refusal);
  }

  /**
   * Bring a wrong field into view, and the keyboard into it.
   *
   * @param {string} id of the field's element
   */
  function lead(id) {
    const field = document.getElementById(id);
    if (!field?.checkVisibility()) unfold(preset, field);
    waitUntilSeen(id, FRAMES, () => {
      // Those that were folded away have no mark yet.
      markFields(readRefusal(props.value));
      const drawn = document.getElementById(id);
      if (drawn) focusControl(drawn);
      (drawn ?? note).scrollIntoView({ block: "center", behavior: choosePace() });
    });
  }

  function tell() {
    const { lines, fields, late } = readRefusal(props.value);
    paint();
    if (fields.length && !late) lead(fields[0][0]);
    else if (lines.length) note.scrollIntoView({ block: "nearest", behavior: choosePace() });
  }

  /** @param {string} id of the element of a field that has changed */
  function forget(id) {
    const refusal = readRefusal(props.value);
    const rest = forgetField(refusal, id);
    if (rest === refusal) return;
    left = rest;
    props.value = rest;
    paint();
  }

  watch("value", () => {
    if (JSON.stringify(props.value) === JSON.stringify(left)) return;
    left = null;
    tell();
    countUp(props.value?.seeds ?? []);
  });
  markCounting(preset);
  const wasShown = forgetting.has(preset);
  forgetting.set(preset, forget);
  telling.set(preset, (refusal) => {
    left = null;
    props.value = refusal;
    tell();
  });
  // A form that is shown again still says what is wrong; what came before this was there is new.
  if (wasShown) paint();
  else tell();
}
