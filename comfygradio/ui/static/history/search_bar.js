// The bar above the gallery, by which people say what they look for.

/** @import { FirstPage } from "./job.js" */
/** @import { Query } from "./search_query.js" */

import { make, press } from "../library/elements.js";
import { find } from "../library/template.js";

const TYPE_MS = 250;

/** @type {Query} */
const LOOK_INTO_TRASH = {
  text: "",
  preset: "",
  favourites: false,
  singles: false,
  deleted: true,
  values: {},
};

/**
 * A value to search for: as JSON, and as people see it with its label.
 *
 * @typedef {{ json: string, text: string, label: string }} Filter
 */

/** @param {HTMLElement} button */
function isPressed(button) {
  return button.getAttribute("aria-pressed") === "true";
}

/**
 * Make the bar work.
 *
 * @param {Element} root
 * @param {() => void} search is told when people look for something else
 */
export function createSearchBar(root, search) {
  const text = find(root, "cg-past-text", HTMLInputElement);
  const preset = find(root, "cg-past-preset", HTMLSelectElement);
  const favourites = find(root, "cg-past-stars", HTMLButtonElement);
  const singles = find(root, "cg-past-singles", HTMLButtonElement);
  const deleted = find(root, "cg-past-trash", HTMLButtonElement);
  const place = find(root, "cg-past-filters");
  /** The values to search for, by the names of their fields. @type {Map<string, Filter>} */
  const filters = new Map();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  /** @returns {Query} */
  function readQuery() {
    if (isPressed(deleted)) return LOOK_INTO_TRASH;
    /** @type {Query["values"]} */
    const values = {};
    for (const [name, filter] of filters) values[name] = filter.json;
    return {
      text: text.value,
      preset: preset.value,
      favourites: isPressed(favourites),
      singles: isPressed(singles),
      deleted: false,
      values,
    };
  }

  /**
   * @param {string} name
   * @param {Filter} filter
   */
  function drawFilter(name, filter) {
    const said = `${filter.label}: ${filter.text}`;
    const label = `Stop showing only ${said}`;
    const action = () => {
      filters.delete(name);
      paintFilters();
      search();
    };
    return press("cg-past-filter", `${said}  ×`, action, { label, title: "" });
  }

  function paintFilters() {
    const buttons = [...filters].map(([name, filter]) => drawFilter(name, filter));
    place.replaceChildren(...buttons);
  }

  /**
   * Search only for what has this value, too.
   *
   * @param {string} name of the field
   * @param {Filter} filter
   */
  function narrow(name, filter) {
    filters.set(name, filter);
    paintFilters();
    search();
  }

  /**
   * Offer what can be searched for now.
   *
   * @param {FirstPage} page
   */
  function offer({ presets, sweeps, hasDeleted }) {
    offerTrash(hasDeleted);
    const chosen = preset.value;
    const options = presets.map(({ name, title }) => {
      return make("option", { value: name, textContent: title });
    });
    const all = make("option", { value: "", textContent: "All forms" });
    preset.replaceChildren(all, ...options);
    preset.value = chosen;
    preset.hidden = presets.length < 2;
    singles.hidden = !sweeps && !isPressed(singles);
  }

  /** @param {boolean} isThere whether anything is in the trash */
  function offerTrash(isThere) {
    deleted.hidden = !isThere && !isPressed(deleted);
  }

  for (const button of [favourites, singles, deleted]) {
    button.addEventListener("click", () => {
      button.setAttribute("aria-pressed", String(!isPressed(button)));
      root.toggleAttribute("data-deleted", isPressed(deleted));
      search();
    });
    button.inert = false;
  }
  preset.addEventListener("change", search);
  text.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(search, TYPE_MS);
  });
  return { readQuery, narrow, offer, offerTrash };
}

/** @typedef {ReturnType<typeof createSearchBar>} SearchBar */
