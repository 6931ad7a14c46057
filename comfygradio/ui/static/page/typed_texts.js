// Keeps what was typed into the forms over a reload.

import { typeInto } from "../library/elements.js";
import * as storage from "../library/storage.js";

const KEY = "comfygradio.typed";
const SEEN_MS = 50;
const SETTLE_MS = 250;
const SETTLE_FRAMES = 10;

const BOXES = ".cg-panel [id^='cg-'] :is(textarea, input)";
const TEXT_BOXES = ".cg-panel [id^='cg-'] :is(textarea, input[type=text], input[type=number])";

/** @typedef {HTMLInputElement | HTMLTextAreaElement} Box */

/** What was typed on this page, by place; also into forms that are not shown now. */
/** @type {Record<string, string>} */
const typed = {};

/** What was typed before the page was loaded, and is not in its box again yet. */
/** @type {Record<string, string>} */
let kept = {};

/** The places whose text is about to be put back. @type {Set<string>} */
const settling = new Set();

/**
 * Whether this is a box of a form that holds what somebody typed. Of the fields that are not
 * Gradio's, whole values are kept (`custom_values.js`).
 *
 * @param {EventTarget | null} node
 * @returns {node is Box}
 */
function isText(node) {
  if (!(node instanceof HTMLInputElement || node instanceof HTMLTextAreaElement)) return false;
  if (!node.matches(TEXT_BOXES) || node.readOnly) return false;
  if (node.closest(".cg-custom")) return false;
  const isList = node.closest(".cg-combo") || node.getAttribute("role") === "listbox";
  return !isList;
}

function listTexts() {
  return [...document.querySelectorAll(BOXES)].filter(isText);
}

/**
 * Name the place of a box: its field, and which box of the field it is.
 *
 * @param {Box} box
 */
function namePlace(box) {
  const field = box.closest("[id^='cg-']");
  if (!field) return "";
  const boxes = [...field.querySelectorAll("input, textarea")];
  return `${field.id}/${boxes.indexOf(box)}`;
}

/** @param {string} place */
function findBox(place) {
  return listTexts().find((box) => namePlace(box) === place);
}

function keep() {
  for (const box of listTexts()) {
    const place = namePlace(box);
    if (place in typed) typed[place] = box.value;
  }
  storage.keep("tab", KEY, { ...kept, ...typed });
}

/**
 * @param {number} count
 * @param {() => void} then
 */
function waitFrames(count, then) {
  requestAnimationFrame(() => {
    if (count > 0) waitFrames(count - 1, then);
    else then();
  });
}

/**
 * Put back what was typed into the boxes that have appeared: each once, and some frames later,
 * since Gradio 6.31 sets what it reveals once more.
 */
function restore() {
  for (const box of listTexts()) {
    const place = namePlace(box);
    if (!(place in kept) || settling.has(place)) continue;
    settling.add(place);
    setTimeout(() => waitFrames(SETTLE_FRAMES, () => put(place)), SETTLE_MS);
  }
}

/** @param {string} place */
function put(place) {
  const box = findBox(place);
  const text = kept[place];
  settling.delete(place);
  // It may be gone again: then the text waits for the next time.
  if (!box) return;
  delete kept[place];
  if (text === undefined || text === box.value) return;
  typeInto(box, text);
  box.dispatchEvent(new Event("change", { bubbles: true }));
}

/** Restore a while after each change of the page, until everything is in its box. */
function restoreWhenDrawn() {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  function schedule() {
    if (timer) return;
    timer = setTimeout(() => {
      timer = undefined;
      restore();
    }, SEEN_MS);
  }

  const drawn = new MutationObserver(() => {
    if (Object.keys(kept).length) schedule();
    else drawn.disconnect();
  });
  drawn.observe(document.documentElement, { childList: true, subtree: true });
  schedule();
}

/** Take all texts of the forms for typed, those that came from elsewhere too. */
export function takeAllTexts() {
  for (const box of listTexts()) typed[namePlace(box)] = box.value;
}

/**
 * Forget what was typed into fields, since something else comes into them.
 *
 * @param {string[]} ids of their elements
 */
export function dropTexts(ids) {
  for (const texts of [kept, typed]) {
    for (const place of Object.keys(texts)) {
      if (ids.includes(place.split("/")[0])) delete texts[place];
    }
  }
}

/**
 * Whether somebody has typed into a field in this tab.
 *
 * @param {string} id of its element
 */
export function hasTyped(id) {
  const places = [...Object.keys(kept), ...Object.keys(typed)];
  return places.some((place) => place.split("/")[0] === id);
}

function readKept() {
  /** @type {Record<string, string>} */
  const texts = {};
  for (const [place, text] of Object.entries(storage.readRecord("tab", KEY))) {
    if (typeof text === "string") texts[place] = text;
  }
  return texts;
}

/**
 * Note what somebody types: it wins over what was typed before the page was loaded.
 *
 * @param {EventTarget | null} target
 */
function noteTyped(target) {
  if (!isText(target)) return;
  const place = namePlace(target);
  delete kept[place];
  typed[place] = target.value;
}

/** Put back what was typed before, and keep what is typed from now on. */
export function keepTypedTexts() {
  kept = readKept();
  storage.drop("tab", KEY);
  for (const target of globalThis.comfygradioEarlyInput ?? []) noteTyped(target);
  globalThis.comfygradioEarlyInput = undefined;
  document.addEventListener("input", ({ target }) => noteTyped(target));
  // Gradio reloads the page by itself when the app was away.
  addEventListener("pagehide", keep);
  restoreWhenDrawn();
}
