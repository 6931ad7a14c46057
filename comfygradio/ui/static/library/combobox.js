// A text box with a list that the server searches; made for lists of tens of thousands of names.

import { make } from "./elements.js";

const TYPE_MS = 90;

/**
 * @typedef {object} Found
 * @property {[string, any][]} found the name and the value of each entry that fits
 * @property {number} count how many fit in all
 */

/**
 * @typedef {object} Combobox
 * @property {HTMLElement} root
 * @property {HTMLInputElement} input
 * @property {(name: string) => void} show shows a name as the chosen one
 */

/**
 * Make a combobox.
 *
 * @param {object} options
 * @param {string} options.label
 * @param {string} options.shown the name that is chosen at first
 * @param {(query: string) => Promise<Found>} options.search
 * @param {(value: any, name: string) => void} options.pick is told of each choice
 * @param {number} options.total how many names there are; 0 if it is not to be said
 * @returns {Combobox}
 */
export function createCombobox({ label, shown, search, pick, total }) {
  const id = `cg-list-${Math.random().toString(36).slice(2)}`;
  const input = make("input", {
    type: "text",
    className: "cg-combo-input",
    value: shown,
    autocomplete: "off",
    spellcheck: false,
  });
  const list = make("ul", { id, className: "cg-combo-list", hidden: true });
  const root = make("div", { className: "cg-combo" }, input, list);
  input.setAttribute("role", "combobox");
  input.setAttribute("aria-label", label);
  input.setAttribute("aria-autocomplete", "list");
  input.setAttribute("aria-controls", id);
  input.setAttribute("aria-expanded", "false");
  list.setAttribute("role", "listbox");
  if (total) input.placeholder = `Search ${total.toLocaleString()} names`;

  /** @type {[string, any][]} */
  let found = [];
  let marked = -1;
  let asked = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let isWaiting = false;
  /** Whether Enter was pressed before the answer came: then the first entry is chosen. */
  let isHurried = false;

  function close() {
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
    marked = -1;
  }

  /** @param {number} index */
  function mark(index) {
    marked = Math.max(0, Math.min(index, found.length - 1));
    const items = [...list.querySelectorAll("[role=option]")];
    items.forEach((item, at) => {
      item.setAttribute("aria-selected", String(at === marked));
      if (at !== marked) return;
      item.scrollIntoView({ block: "nearest" });
      input.setAttribute("aria-activedescendant", item.id);
    });
  }

  /** @param {number} index */
  function choose(index) {
    if (!found[index]) return;
    const [name, value] = found[index];
    shown = name;
    input.value = name;
    close();
    pick(value, name);
  }

  /**
   * @param {string} name
   * @param {number} index
   */
  function drawItem(name, index) {
    const item = make("li", { id: `${id}-${index}`, textContent: name, title: name });
    item.setAttribute("role", "option");
    item.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      choose(index);
    });
    return item;
  }

  /** @param {number} count */
  function nameRest(count) {
    if (!found.length) return "Nothing fits.";
    if (count <= found.length) return "";
    return `${found.length} of ${count.toLocaleString()} shown; type to narrow.`;
  }

  /** @param {Found} answer */
  function paint(answer) {
    found = answer.found;
    const items = found.map(([name], index) => drawItem(name, index));
    list.replaceChildren(...items);
    const hint = nameRest(answer.count);
    if (hint) list.append(make("li", { className: "cg-combo-hint", textContent: hint }));
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    mark(0);
    if (isHurried) choose(0);
  }

  /** @param {string} query */
  async function ask(query) {
    asked += 1;
    const mine = asked;
    isWaiting = true;
    try {
      const answer = await search(query);
      if (mine !== asked) return;
      isWaiting = false;
      if (document.activeElement === input || isHurried) paint(answer);
    } catch {
      // The app is away for a moment; the next key asks again.
      isWaiting = false;
    }
    isHurried = false;
  }

  /** Take back what is asked, now or soon. */
  function stopAsking() {
    clearTimeout(timer);
    asked += 1;
  }

  input.addEventListener("input", () => {
    stopAsking();
    isWaiting = true;
    isHurried = false;
    timer = setTimeout(() => ask(input.value), TYPE_MS);
  });
  input.addEventListener("focus", () => {
    input.select();
    ask("");
  });
  input.addEventListener("click", () => {
    if (list.hidden) ask("");
  });
  input.addEventListener("blur", () => {
    if (isHurried) return;
    stopAsking();
    isWaiting = false;
    input.value = shown;
    close();
  });

  function pressEnter() {
    if (isWaiting) isHurried = true;
    else choose(marked);
  }

  function pressDown() {
    if (list.hidden) ask("");
    else mark(marked + 1);
  }

  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      input.value = shown;
      close();
      return;
    }
    const isEnter = event.key === "Enter" && (isWaiting || !list.hidden);
    if (!isEnter && event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    event.preventDefault();
    if (isEnter) pressEnter();
    else if (event.key === "ArrowDown") pressDown();
    else mark(marked - 1);
  });

  /** @param {string} name */
  function show(name) {
    shown = name;
    if (document.activeElement !== input) input.value = name;
  }

  return { root, input, show };
}
