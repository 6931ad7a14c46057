// One field of an axis with its values, which are typed, ticked in a list, or files.

/** @import { Bench } from "./axis_card.js" */
/** @import { Entry, Field } from "./draft.js" */

import { make, press, say } from "../library/elements.js";
import { createChoiceList } from "./choice_list.js";
import { changeField, TYPE_MS } from "./draft.js";
import { createFileList } from "./file_list.js";

/**
 * What the app says about an entry.
 *
 * @typedef {object} Told
 * @property {string} [error]
 * @property {string} [read] what the values are taken for
 * @property {string[]} [texts] each value as it is typed
 */

let count = 0;

/**
 * Make the row of an entry.
 *
 * @param {Entry} entry
 * @param {Bench} bench
 * @param {() => void} drop
 */
export function createEntryRow(entry, { about, desk, upload, study, draft }, drop) {
  /** @type {Told} */
  let told = {};
  const field = make("select", { className: "cg-box cg-sweep-field" });
  field.setAttribute("aria-label", "Field");
  field.addEventListener("change", () => takeField(field.value));
  const error = make("p", { className: "cg-field-error", hidden: true });
  count += 1;
  error.id = `cg-sweep-error-${count}`;
  const read = say("cg-sweep-read", "");
  const help = say("cg-info", "");
  const box = make("textarea", {
    className: "cg-box cg-sweep-text",
    rows: 1,
    value: entry.text,
    spellcheck: false,
  });
  box.setAttribute("aria-describedby", error.id);
  box.addEventListener("input", () => {
    entry.text = box.value;
    told = {};
    study(TYPE_MS);
  });
  box.addEventListener("keydown", (event) => {
    const isEnter = event.key === "Enter" && !event.shiftKey;
    if (!isEnter || findField()?.takes === "lines") return;
    event.preventDefault();
    study();
  });
  const choices = createChoiceList({
    ask: (asked) => {
      return desk.asking.call("choices", { preset: draft.preset, field: entry.field, ...asked });
    },
    countAll: () => findField()?.choices ?? 0,
    listTexts,
    write: (texts, wait) => {
      told = { ...told, texts };
      writeText(texts.join(", "), wait);
    },
  });
  const choose = press("cg-small cg-sweep-choose", "Choose", () => choices.toggle());
  choose.setAttribute("aria-expanded", "false");
  const all = press("cg-small cg-sweep-every", "All", fillAll, { label: "Fill with all choices" });
  const gone = press("cg-small cg-remove", "×", drop, { label: "Remove" });
  const offers = make("div", { className: "cg-sweep-offers" });
  const files = createFileList(entry, { upload, study, announce: desk.announce });
  const root = make(
    "div",
    { className: "cg-sweep-entry" },
    field,
    box,
    files.root,
    make("div", { className: "cg-sweep-tools" }, choose, all, gone),
    offers,
    error,
    read,
    choices.root,
    help,
  );
  choices.tellOpen((isOpen) => choose.setAttribute("aria-expanded", String(isOpen)));

  function findField() {
    return about.fields.find((one) => one.name === entry.field);
  }

  /** List the values that are typed now, as far as the app has read them. */
  function listTexts() {
    if (told.texts) return told.texts;
    const typed = entry.text.trim();
    return typed ? [typed] : [];
  }

  /**
   * @param {string} text
   * @param {number} [wait]
   */
  function writeText(text, wait) {
    entry.text = text;
    box.value = text;
    study(wait);
  }

  async function fillAll() {
    const asked = { preset: draft.preset, field: entry.field, all: true };
    const answer = await desk.asking.call("choices", asked);
    if (answer.text === undefined) return;
    writeText(answer.text);
    box.focus();
  }

  /** @param {string} name */
  function takeField(name) {
    const before = findField();
    const chosen = about.fields.find((one) => one.name === name);
    changeField(entry, before, chosen);
    box.value = entry.text;
    choices.close();
    study();
    box.select();
    if (box.hidden) files.focus();
    else box.focus();
  }

  /**
   * Show the entry.
   *
   * @param {Field[]} free the fields that it may have
   */
  function paint(free) {
    const chosen = findField();
    const first = make("option", { value: "", textContent: "Choose a field …" });
    const options = free.map(({ name, label }) => {
      return make("option", { value: name, textContent: label });
    });
    field.replaceChildren(first, ...options);
    field.value = entry.field;
    // Before a field is chosen, all of them are there to tap.
    offers.hidden = chosen !== undefined || free.length === 0;
    field.hidden = !offers.hidden;
    box.hidden = !chosen || chosen.takes === "files";
    box.setAttribute("aria-label", chosen ? `Values of ${chosen.label}` : "Values");
    help.textContent = chosen?.help ?? "";
    choose.hidden = !chosen?.choices;
    all.hidden = choose.hidden;
    files.paint(chosen?.takes === "files" ? chosen : null);
    if (chosen) return;
    const pills = free.map(({ name, label }) => press("cg-pill", label, () => takeField(name)));
    offers.replaceChildren(...pills);
  }

  /** @param {Told} answer */
  function take(answer) {
    told = answer;
    error.textContent = told.error ?? "";
    error.hidden = !told.error;
    if (told.error) box.setAttribute("aria-invalid", "true");
    else box.removeAttribute("aria-invalid");
    read.textContent = told.read ?? "";
    choices.paint();
  }

  function focus() {
    const first = /** @type {HTMLElement | null} */ (offers.firstElementChild);
    if (field.hidden) first?.focus();
    else field.focus();
  }

  return { root, paint, take, focus };
}
