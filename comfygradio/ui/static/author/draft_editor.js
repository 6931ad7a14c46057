// The list of fields: its value is what the author made of the draft.

/** @import { Part } from "../library/part.js" */
/** @import { Draft } from "./draft.js" */

import { drawAlert, fold, list, make, press } from "../library/elements.js";
import * as storage from "../library/storage.js";
import { plural } from "../library/words.js";
import { findNameMistake, readKeptDraft } from "./draft.js";
import { createDraftList } from "./draft_list.js";
import { readResult } from "./preview_result.js";

const KEY = "comfygradio.draft";
const PAUSE_MS = 300;

/** @param {Part} part */
export function mount({ element, props, trigger, watch }) {
  const body = /** @type {HTMLElement} */ (element.querySelector(".cg-body"));
  /** Nothing is in it before a file was read. @type {Draft} */
  let draft = props.value ?? {};
  /** The value that is shown, as JSON. */
  let painted = "";
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let result = readResult();
  /** @type {ReturnType<typeof createDraftList> | null} */
  let fields = null;
  let nameError = make("span");

  function remember() {
    storage.keep("tab", KEY, draft);
  }

  function send() {
    timer = undefined;
    remember();
    trigger("edited");
  }

  function put() {
    draft = { ...draft };
    props.value = draft;
    painted = JSON.stringify(draft);
    check();
    clearTimeout(timer);
    timer = setTimeout(send, PAUSE_MS);
  }

  function check() {
    fields?.check(result.problems);
    const mistake = findNameMistake(draft.name);
    nameError.textContent = mistake;
    nameError.hidden = mistake === "";
  }

  /**
   * @param {"name" | "title" | "icon" | "description"} key
   * @param {Partial<Pick<HTMLInputElement, "maxLength" | "spellcheck">>} properties
   */
  function createBox(key, properties = {}) {
    const box = make("input", {
      type: "text",
      className: "cg-box",
      value: draft[key],
      autocomplete: "off",
      ...properties,
    });
    box.addEventListener("input", () => {
      draft[key] = box.value;
      put();
    });
    return box;
  }

  /** Draw the boxes for what the preset is called. */
  function drawAbout() {
    const name = createBox("name", { spellcheck: false });
    name.classList.add("cg-mono");
    const named = drawNamed("Name", "In addresses and commands, and of its files.", name);
    nameError = named.error;
    const icon = drawNamed("Icon", "", createBox("icon", { maxLength: 8 }));
    icon.root.classList.add("cg-icon-field");
    const title = drawNamed("Title", "", createBox("title"));
    const description = drawNamed("Description", "", createBox("description"));
    const beside = make("div", { className: "cg-side-by-side" }, icon.root, title.root);
    const words = make("div", { className: "cg-set-aside" }, beside, description.root);
    return make("section", { className: "cg-about" }, words, named.root);
  }

  function useListAgain() {
    draft.byHand = false;
    props.value = { ...draft };
    paint();
    put();
  }

  function drawDraft() {
    fields = createDraftList(draft.rows, put, (rows) => {
      draft.rows = rows;
      put();
    });
    if (draft.byHand) body.append(drawByHand(useListAgain));
    body.append(drawAbout());
    if (draft.notes.length) {
      const count = plural(draft.notes.length, "thing");
      body.append(fold(`${count} worth knowing`, list(draft.notes)));
    }
    body.append(fields.root);
    /** @type {NodeListOf<HTMLElement>} */
    const parts = body.querySelectorAll(".cg-set-aside");
    for (const part of parts) part.inert = draft.byHand;
    check();
  }

  function paint() {
    const text = JSON.stringify(props.value ?? {});
    if (text === painted) return;
    painted = text;
    draft = JSON.parse(text);
    fields = null;
    result = { ...result, problems: new Map() };
    body.replaceChildren();
    const isDrafted = Boolean(draft.source);
    document.getElementById("cg-author")?.toggleAttribute("data-drafted", isDrafted);
    if (draft.error) body.append(drawAlert(draft.error));
    if (!isDrafted) return;
    remember();
    drawDraft();
  }

  function takeResult() {
    result = readResult();
    if (result.saved) storage.drop("tab", KEY);
    if (fields) check();
  }

  /** Go on with the draft that the tab had before it was loaded again. */
  function restore() {
    const kept = readKeptDraft(storage.read("tab", KEY, null));
    if (!kept || props.value?.source) return;
    // A file that is being read brings another draft.
    if (document.querySelector("#cg-drop .file-preview")) return;
    props.value = { ...kept, byHand: false };
    paint();
    trigger("edited");
  }

  window.addEventListener("comfygradio-author", takeResult);
  window.addEventListener("comfygradio-flush", (event) => {
    if (timer === undefined || !(event instanceof CustomEvent)) return;
    clearTimeout(timer);
    event.detail.isPending = true;
    send();
  });
  window.addEventListener("beforeunload", (event) => {
    if (draft.byHand && !result.saved) event.preventDefault();
  });
  watch("value", paint);
  paint();
  takeResult();
  restore();
}

/**
 * Draw a box with its label and its help, and the place for what is wrong with it.
 *
 * @param {string} label
 * @param {string} help
 * @param {HTMLInputElement} box
 */
function drawNamed(label, help, box) {
  const error = make("span", { className: "cg-field-error", hidden: true });
  const root = make(
    "label",
    { className: "cg-field" },
    make("span", { className: "cg-label", textContent: label }),
    help ? make("span", { className: "cg-info", textContent: help }) : null,
    box,
    error,
  );
  return { root, error };
}

/** @param {() => void} useListAgain */
function drawByHand(useListAgain) {
  const text =
    "You have changed the preset file by hand. It counts now, and this list is set aside.";
  const back = press("cg-small", "Use the list again", useListAgain);
  const note = make("div", { className: "cg-by-hand" }, make("p", { textContent: text }), back);
  note.setAttribute("role", "status");
  return note;
}
