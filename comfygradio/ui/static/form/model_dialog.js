// The dialog in which a model is chosen: what was chosen last and favourites, then all folders as a
// tree; or what fits the words that are typed. It asks the server for one page after the other.

/** @import { Model } from "./model_name.js" */
/** @import { Folder, ModelPage, ModelSource } from "./model_source.js" */

import { closeFromOutside } from "../library/dialogs.js";
import { make, press, say, setText } from "../library/elements.js";
import { noteRecent, readMemory, toggleFavourite } from "./model_memory.js";
import { drawThumbnail } from "./model_thumbnail.js";

const TYPE_MS = 90;

/** With so many models all folders are unfolded. */
const FEW = 60;

/** Among so many models nobody needs help to find one. */
const HANDFUL = 8;

const AWAY = "The app does not answer; try again in a moment.";

/** The dialog is one for all fields. @type {HTMLDialogElement | undefined} */
let dialog;

let count = 0;

function findDialog() {
  if (!dialog?.isConnected) {
    dialog = make("dialog", { className: "cg-models" });
    // Outside of Gradio's frame there are no styles for phones.
    (document.querySelector(".gradio-container .contain") ?? document.body).append(dialog);
    closeFromOutside(dialog);
  }
  return dialog;
}

/**
 * Open the dialog.
 *
 * @param {ModelSource} source
 * @param {object} options
 * @param {string} options.title
 * @param {any} options.value the model that is chosen now
 * @param {(model: Model) => void} options.pick
 */
export function openModelDialog(source, { title, value, pick }) {
  const frame = findDialog();
  const memory = readMemory(source.shelf);
  const favourites = new Set(memory.favourites);
  /** What each row does when it is pressed. @type {WeakMap<Element, () => void>} */
  const actions = new WeakMap();
  /** The value of each row of a model. @type {WeakMap<Element, any>} */
  const values = new WeakMap();
  /** @type {HTMLElement | null} */
  let marked = null;
  let asked = 0;
  let isWaiting = false;
  /** Whether Enter was pressed before the answer came: then the first model is chosen. */
  let isHurried = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  const heading = make("h3", { id: "cg-models-title", textContent: title });
  const close = press("cg-models-close", "×", () => frame.close(), { label: "Close" });
  const search = make("input", {
    type: "text",
    className: "cg-models-search",
    autocomplete: "off",
    spellcheck: false,
    placeholder: `Search ${source.total.toLocaleString()} names`,
  });
  const tree = make("div", { id: "cg-models-tree", className: "cg-models-tree" });
  const path = make("span", { className: "cg-models-path" });
  const favour = press("cg-small cg-models-favour", "", () => {
    if (marked) toggle(values.get(marked));
    search.focus();
  });
  const found = say("cg-unseen", "");
  found.setAttribute("role", "status");
  search.setAttribute("role", "combobox");
  search.setAttribute("aria-label", "Search");
  search.setAttribute("aria-autocomplete", "list");
  search.setAttribute("aria-haspopup", "tree");
  search.setAttribute("aria-controls", tree.id);
  search.setAttribute("aria-expanded", "true");
  tree.setAttribute("role", "tree");
  tree.setAttribute("aria-label", title);
  frame.setAttribute("aria-labelledby", heading.id);

  const pages = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) if (isIntersecting) actions.get(target)?.();
    },
    { root: tree, rootMargin: "300px" },
  );

  /** @returns {HTMLElement[]} */
  function listRows() {
    return [...tree.querySelectorAll("[role=treeitem]:not([aria-disabled])")].filter(
      /** @returns {row is HTMLElement} */
      (row) => row instanceof HTMLElement && row.checkVisibility(),
    );
  }

  /** @param {HTMLElement | null | undefined} row */
  function mark(row) {
    marked?.setAttribute("aria-selected", "false");
    marked = row ?? null;
    search.removeAttribute("aria-activedescendant");
    if (marked) {
      marked.setAttribute("aria-selected", "true");
      search.setAttribute("aria-activedescendant", marked.id);
      marked.scrollIntoView({ block: "nearest" });
    }
    showFooter();
  }

  function showFooter() {
    const shown = marked && values.get(marked);
    setText(path, marked?.title ?? "");
    favour.hidden = !shown;
    const isFavourite = favourites.has(shown);
    setText(favour, isFavourite ? "★ Favourite" : "☆ Favourite");
    favour.setAttribute("aria-pressed", String(isFavourite));
  }

  /**
   * Make a model a favourite, or no longer, in all its rows.
   *
   * @param {any} name
   */
  function toggle(name) {
    if (toggleFavourite(source.shelf, name)) favourites.add(name);
    else favourites.delete(name);
    for (const row of tree.querySelectorAll("[role=treeitem]")) {
      const star = row.querySelector("button");
      if (star && values.get(row) === name) paintStar(star, name);
    }
    showFooter();
  }

  /**
   * @param {HTMLButtonElement} star
   * @param {any} name
   */
  function paintStar(star, name) {
    const isFavourite = favourites.has(name);
    star.textContent = isFavourite ? "★" : "☆";
    star.setAttribute("aria-pressed", String(isFavourite));
  }

  /** @param {Model} model */
  function choose(model) {
    noteRecent(source.shelf, model.value);
    frame.close();
    pick(model);
  }

  /**
   * @param {string} className
   * @param {number} level
   * @param {string} label
   * @param {() => void} action
   */
  function makeRow(className, level, label, action) {
    count += 1;
    const row = make("div", { id: `cg-models-${count}`, className: `cg-models-row ${className}` });
    row.setAttribute("role", "treeitem");
    row.setAttribute("aria-level", String(level));
    row.setAttribute("aria-selected", "false");
    row.setAttribute("aria-label", label);
    row.style.setProperty("--cg-level", String(level - 1));
    row.addEventListener("click", action);
    actions.set(row, action);
    return row;
  }

  /**
   * @param {Model} model
   * @param {number} level
   * @param {boolean} hasFolder whether its folder is shown
   */
  function drawModel(model, level, hasFolder) {
    const folder = hasFolder ? model.folder : "";
    const label = folder ? `${model.name}, ${folder}` : model.name;
    const row = makeRow("cg-models-model", level, label, () => choose(model));
    values.set(row, model.value);
    row.title = String(model.value);
    if (model.value === value) row.setAttribute("aria-current", "true");
    const words = make(
      "span",
      { className: "cg-model-words" },
      make("span", { className: "cg-model-name", textContent: model.name }),
    );
    if (folder) {
      words.append(" ", make("span", { className: "cg-model-folder", textContent: folder }));
    }
    const star = press(
      "cg-models-star",
      "",
      (event) => {
        event.stopPropagation();
        toggle(model.value);
      },
      { label: `Favourite: ${model.name}` },
    );
    // Keys use the button below the list.
    star.tabIndex = -1;
    paintStar(star, model.value);
    row.append(drawThumbnail(source.place, model), words, star);
    return row;
  }

  /** Say that nothing fits. A tree without a row would be none for screen readers. */
  function drawNothing() {
    const row = make("div", { className: "cg-models-hint", textContent: "Nothing fits." });
    row.setAttribute("role", "treeitem");
    row.setAttribute("aria-disabled", "true");
    return row;
  }

  function drawNone() {
    const none = { value: "", name: "", folder: "" };
    const row = makeRow("cg-models-none", 1, source.empty, () => {
      frame.close();
      pick(none);
    });
    row.append(make("span", { className: "cg-model-name", textContent: source.empty }));
    return row;
  }

  /**
   * Draw a folder, whose content comes when it is unfolded.
   *
   * @param {Folder} folder
   * @param {number} level
   */
  function drawFolder(folder, level) {
    const content = make("div", { hidden: true });
    content.setAttribute("role", "group");
    let isFilled = false;

    /** @param {boolean} isOpen */
    function unfold(isOpen) {
      row.setAttribute("aria-expanded", String(isOpen));
      content.hidden = !isOpen;
      if (!isOpen || isFilled) return;
      isFilled = true;
      fill(content, level + 1, false, (start) => source.list(folder.path, start));
    }

    const label = `${folder.name}, ${folder.total.toLocaleString()}`;
    const row = makeRow("cg-models-folder", level, label, () => {
      unfold(Boolean(content.hidden));
      mark(row);
    });
    row.append(
      make("span", { className: "cg-models-sign" }),
      make("span", { className: "cg-model-name", textContent: folder.name }),
      " ",
      make("span", { className: "cg-models-count", textContent: folder.total.toLocaleString() }),
    );
    row.title = folder.path;
    row.setAttribute("aria-expanded", "false");
    return { row, content, unfold };
  }

  /**
   * Fill a place page by page; the next one is fetched when the end of the last comes into view.
   *
   * @param {HTMLElement} place
   * @param {number} level
   * @param {boolean} hasFolders whether the folder of each model is shown
   * @param {(start: number) => Promise<ModelPage>} fetch
   */
  async function fill(place, level, hasFolders, fetch) {
    let start = 0;
    const more = make("div", { className: "cg-models-more" });

    /** @param {ModelPage} page */
    function draw(page) {
      start += page.folders.length + page.models.length;
      const isOnly = page.total === 1 || source.total <= FEW;
      for (const folder of page.folders) {
        const { row, content, unfold } = drawFolder(folder, level);
        place.append(row, content);
        if (isOnly) unfold(true);
      }
      place.append(...page.models.map((model) => drawModel(model, level, hasFolders)));
      const isLast = start >= page.total || page.folders.length + page.models.length === 0;
      if (!isLast) place.append(more);
    }

    async function turn() {
      pages.unobserve(more);
      more.textContent = "";
      try {
        const page = await fetch(start);
        more.remove();
        draw(page);
      } catch {
        more.textContent = AWAY;
        place.append(more);
      }
      if (more.isConnected && !more.textContent) pages.observe(more);
      return start;
    }

    actions.set(more, turn);
    more.addEventListener("click", turn);
    return turn();
  }

  /**
   * Make a part of the list.
   *
   * @param {string} name "" if there is no other
   */
  function makeGroup(name) {
    const group = make("div", { className: "cg-models-group" });
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", name || title);
    if (name) {
      const words = make("div", { className: "cg-models-heading", textContent: name });
      words.setAttribute("aria-hidden", "true");
      group.append(words);
    }
    return group;
  }

  /**
   * @param {string} name
   * @param {Model[]} models
   */
  function drawGroup(name, models) {
    const group = makeGroup(name);
    group.append(...models.map((model) => drawModel(model, 1, true)));
    return group;
  }

  async function drawRemembered() {
    if (source.total <= HANDFUL) return [];
    const wanted = [...new Set([...memory.recent, ...favourites])];
    if (!wanted.length) return [];
    const models = await source.recall(wanted).catch(() => []);
    const recent = models.filter((model) => memory.recent.includes(model.value));
    const liked = models.filter((model) => favourites.has(model.value));
    const groups = [];
    if (recent.length) groups.push(drawGroup("Recent", recent));
    if (liked.length) groups.push(drawGroup("Favourites", liked));
    return groups;
  }

  /**
   * Draw what fits a query into groups, and give them to the tree all at once.
   *
   * @param {string} query
   */
  async function drawContent(query) {
    if (query) {
      const group = makeGroup("");
      const shown = await fill(group, 1, true, (start) => source.search(query, start));
      const isAway = group.querySelector(".cg-models-more") !== null;
      if (!shown && !isAway) group.append(drawNothing());
      return [group];
    }
    const all = makeGroup("");
    const [remembered] = await Promise.all([
      drawRemembered(),
      fill(all, 1, false, (start) => source.list("", start)),
    ]);
    const groups = [...remembered, all];
    if (remembered.length) {
      const words = make("div", { className: "cg-models-heading", textContent: "All" });
      words.setAttribute("aria-hidden", "true");
      all.setAttribute("aria-label", "All");
      all.prepend(words);
    }
    if (source.isOptional) {
      const group = makeGroup("");
      group.append(drawNone());
      groups.unshift(group);
    }
    return groups;
  }

  async function ask() {
    clearTimeout(timer);
    asked += 1;
    const mine = asked;
    isWaiting = true;
    const query = search.value.trim();
    const groups = await drawContent(query);
    if (mine !== asked || !frame.open) return;
    isWaiting = false;
    mark(null);
    tree.replaceChildren(...groups);
    tree.scrollTop = 0;
    // Only what is in the page can come into view.
    for (const more of tree.querySelectorAll(".cg-models-more")) pages.observe(more);
    const rows = listRows();
    const models = rows.filter((row) => values.has(row));
    mark(query ? models[0] : rows[0]);
    found.textContent = query && !models.length ? "Nothing fits." : "";
    if (isHurried && marked) actions.get(marked)?.();
    isHurried = false;
  }

  /** @param {number} by */
  function move(by) {
    const rows = listRows();
    const at = marked ? rows.indexOf(marked) : -1;
    mark(rows[Math.max(0, Math.min(at + by, rows.length - 1))]);
  }

  /**
   * Unfold or fold the marked folder.
   *
   * @param {boolean} isOpen
   */
  function foldMarked(isOpen) {
    const state = marked?.getAttribute("aria-expanded");
    if (!marked || state === null || state === undefined || state === String(isOpen)) return false;
    actions.get(marked)?.();
    return true;
  }

  /** @param {KeyboardEvent} event */
  function pressKey(event) {
    const isTyped = search.value !== "";
    let isUsed = true;
    if (event.key === "ArrowDown") move(1);
    else if (event.key === "ArrowUp") move(-1);
    else if (event.key === "PageDown") move(8);
    else if (event.key === "PageUp") move(-8);
    else if (event.key === "ArrowRight" && !isTyped) isUsed = foldMarked(true);
    else if (event.key === "ArrowLeft" && !isTyped) isUsed = foldMarked(false);
    else if (event.key === "Enter" && !event.isComposing) pressEnter();
    else isUsed = false;
    if (isUsed) event.preventDefault();
  }

  function pressEnter() {
    if (isWaiting) isHurried = true;
    else if (marked) actions.get(marked)?.();
  }

  search.addEventListener("keydown", pressKey);
  search.addEventListener("input", () => {
    clearTimeout(timer);
    // An answer that is under way is to words of before.
    asked += 1;
    isWaiting = true;
    isHurried = false;
    timer = setTimeout(ask, TYPE_MS);
  });
  frame.onclose = () => {
    asked += 1;
    clearTimeout(timer);
    pages.disconnect();
    frame.replaceChildren();
  };
  frame.replaceChildren(
    make(
      "div",
      { className: "cg-models-sheet" },
      make("div", { className: "cg-models-head" }, heading, close),
      search,
      tree,
      make("div", { className: "cg-models-foot" }, path, favour),
      found,
    ),
  );
  showFooter();
  frame.showModal();
  // On a phone the keyboard would cover the list.
  if (matchMedia("(pointer: coarse)").matches) close.focus();
  else search.focus();
  ask();
}
