// A list of a field's choices, whose values are ticked instead of typed. The server searches it.

import { make, say } from "../library/elements.js";
import { TYPE_MS, toggleText } from "./draft.js";

const SEARCH_MS = 120;

/** A list with no more than this needs no search. */
const FEW = 12;

/** @typedef {{ text: string, label: string }} Choice */

/**
 * Make the list, which is closed at first.
 *
 * @param {object} options
 * @param {(asked: { query: string }) => Promise<{ found?: Choice[], count: number }>} options.ask
 * @param {() => number} options.countAll
 * @param {() => string[]} options.listTexts lists the values that are typed
 * @param {(texts: string[], wait: number) => void} options.write types other values
 */
export function createChoiceList({ ask, countAll, listTexts, write }) {
  const root = make("div", { className: "cg-sweep-list", hidden: true });
  let asked = 0;
  /** @type {(isOpen: boolean) => void} */
  let opened = () => {};
  /** The ticks that are shown, by their values. @type {Map<string, HTMLInputElement>} */
  let ticks = new Map();

  async function toggle() {
    root.hidden = !root.hidden;
    opened(!root.hidden);
    if (!root.hidden) await open();
  }

  function close() {
    root.hidden = true;
    opened(false);
  }

  async function open() {
    const query = make("input", { type: "search", className: "cg-box", placeholder: "Search" });
    query.setAttribute("aria-label", "Search the list");
    query.hidden = countAll() <= FEW;
    const found = make("div", { className: "cg-sweep-found" });
    root.replaceChildren(query, found);
    let timer = 0;
    query.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(() => search(query.value, found), SEARCH_MS);
    });
    await search("", found);
  }

  /**
   * @param {string} query
   * @param {HTMLElement} place
   */
  async function search(query, place) {
    asked += 1;
    const mine = asked;
    const { found, count } = await ask({ query });
    if (mine !== asked || !found) return;
    ticks = new Map();
    const labels = found.map(drawTick);
    place.replaceChildren(...labels);
    if (count > found.length) {
      const all = count.toLocaleString("en-GB");
      place.append(say("cg-info", `${found.length} of ${all} shown; search to narrow.`));
    }
    paint();
  }

  /** @param {Choice} choice */
  function drawTick({ text, label }) {
    const tick = make("input", { type: "checkbox", className: "cg-tick" });
    tick.addEventListener("change", () => {
      write(toggleText(listTexts(), text, tick.checked), TYPE_MS);
    });
    ticks.set(text, tick);
    const name = make("span", { textContent: label });
    return make("label", { className: "cg-sweep-tick" }, tick, name);
  }

  /** Tick what is typed. */
  function paint() {
    if (root.hidden) return;
    const texts = new Set(listTexts());
    for (const [text, tick] of ticks) tick.checked = texts.has(text);
  }

  return {
    root,
    toggle,
    close,
    paint,
    tellOpen: (/** @type {(isOpen: boolean) => void} */ listener) => {
      opened = listener;
    },
  };
}
