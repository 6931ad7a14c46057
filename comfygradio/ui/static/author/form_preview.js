// The form as people will see it, what is wrong with it, and the button that saves it.

/** @import { Part } from "../library/part.js" */
/** @import { PreviewForm } from "./drawn_form.js" */
/** @import { SaveState } from "./save_bar.js" */

import { fold, list, make } from "../library/elements.js";
import { plural } from "../library/words.js";
import { drawForm } from "./drawn_form.js";
import { tellResult } from "./preview_result.js";
import { createSaveBar } from "./save_bar.js";

/** @typedef {{ field: string, message: string, text: string }} Problem */

/**
 * What the app says of a draft, besides what the bar shows.
 *
 * @typedef {object} Preview
 * @property {string} [error] why there is no form
 * @property {PreviewForm} [form]
 * @property {Problem[]} [problems]
 * @property {string[]} [notes]
 */

/** @param {string[]} texts */
function drawMistakes(texts) {
  const lines = texts.map((text) => make("p", { textContent: text }));
  const note = make("div", { className: "cg-note" }, ...lines);
  note.setAttribute("role", "alert");
  return note;
}

/** @param {Problem[]} problems */
function mapProblems(problems) {
  /** @type {Map<string, string>} */
  const messages = new Map();
  for (const { field, message } of problems) {
    if (field) messages.set(field, message);
  }
  return messages;
}

/** @param {Part} part */
export function mount({ element, props, trigger, watch }) {
  const messages = make("div", { className: "cg-messages" });
  messages.setAttribute("role", "status");
  const card = make("div", { className: "cg-form-card" });
  const bar = createSaveBar((detail) => trigger("save", detail));
  element.querySelector(".cg-body")?.append(messages, card, bar.root);

  /** @param {Preview & SaveState} state */
  function paintMessages({ error, problems = [], notes = [], saved }) {
    messages.replaceChildren();
    const texts = error ? [error] : problems.map((problem) => problem.text);
    const note = drawMistakes(texts);
    if (problems.length) {
      note.prepend(make("b", { textContent: "The form stays closed until this is mended." }));
    }
    if (texts.length) messages.append(note);
    if (notes.length) {
      const verb = notes.length === 1 ? "was" : "were";
      const summary = `${plural(notes.length, "thing")} ${verb} adjusted to this ComfyUI`;
      messages.append(fold(summary, list(notes)));
    }
    tellResult({ problems: mapProblems(problems), saved: Boolean(saved) });
  }

  /** @param {PreviewForm | undefined} form */
  function paintForm(form) {
    card.classList.toggle("cg-stale", !form);
    if (!form) return;
    const isOpen = card.querySelector("details")?.open ?? false;
    card.replaceChildren(...drawForm(form, isOpen));
  }

  function paint() {
    const state = props.value ?? {};
    const isThere = Boolean(state.form || state.error);
    element.classList.toggle("cg-has-form", isThere);
    if (!isThere) {
      for (const part of [messages, card, bar.root]) part.replaceChildren();
      return;
    }
    paintMessages(state);
    paintForm(state.form);
    bar.paint(state);
    bar.goOn();
  }

  watch("value", paint);
  paint();
}
