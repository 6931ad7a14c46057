// The lists of a draft's rows: those in the form, those that it folds away, and the rest.

/** @import { DraftRow } from "./draft.js" */
/** @import { Line } from "./draft_row.js" */

import { make } from "../library/elements.js";
import { findMistake, nameList, nameRest } from "./draft.js";
import { createLine } from "./draft_row.js";

/** How long a row is marked that has come into another list. */
const NEW_MS = 1200;

function makeList() {
  return make("ol", { className: "cg-picks" });
}

function drawHead() {
  const titles = ["Label", "Name", "Kind"].map((text) => make("span", { textContent: text }));
  return make("div", { className: "cg-pick cg-pick-head" }, make("span"), ...titles);
}

/**
 * Make the lists.
 *
 * @param {DraftRow[]} rows
 * @param {() => void} edited is told when a row has changed
 * @param {(rows: DraftRow[]) => void} ordered gets the rows when they may have another order
 */
export function createDraftList(rows, edited, ordered) {
  const places = { main: makeList(), more: makeList(), rest: makeList() };
  const moreTitle = make("h4", { textContent: "More settings, folded away in the form" });
  const restTitle = make("summary");
  const restFold = make("details", { className: "cg-adjusted" }, restTitle, places.rest);
  const root = make(
    "section",
    { className: "cg-picked cg-set-aside" },
    make("h3", { textContent: "Fields" }),
    drawHead(),
    places.main,
    moreTitle,
    places.more,
    restFold,
  );
  /** @type {Map<Element, Line>} */
  const lines = new Map();

  function order() {
    const { main, more, rest } = places;
    /** @type {DraftRow[]} */
    const found = [];
    for (const one of [...main.children, ...more.children, ...rest.children]) {
      const line = lines.get(one);
      if (line) found.push(line.row);
    }
    ordered(found);
  }

  /**
   * Put a line into the list where it belongs now.
   *
   * @param {Line} line
   */
  function settle(line) {
    const place = places[nameList(line.row)];
    if (line.root.parentNode !== place) moveTo(place, line);
    order();
  }

  /**
   * @param {HTMLElement} place
   * @param {Line} line
   */
  function moveTo(place, line) {
    const beside = line.root.nextElementSibling ?? line.root.previousElementSibling;
    const hadFocus = line.root.contains(document.activeElement);
    place.append(line.root);
    if (hadFocus && beside) lines.get(beside)?.tick.focus({ preventScroll: true });
    line.root.classList.add("cg-new");
    setTimeout(() => line.root.classList.remove("cg-new"), NEW_MS);
  }

  /**
   * @param {Line} line
   * @param {boolean} isUp
   */
  function move(line, isUp) {
    const other = isUp ? line.root.previousElementSibling : line.root.nextElementSibling;
    if (!other) return;
    if (isUp) other.before(line.root);
    else other.after(line.root);
    order();
  }

  /**
   * Say what is wrong with the rows, and show what goes with their state.
   *
   * @param {Map<string, string>} problems what the app says of fields, by their names
   */
  function check(problems) {
    for (const line of lines.values()) {
      line.check(findMistake(line.row, rows, problems));
    }
    const count = places.rest.children.length;
    restTitle.textContent = nameRest(count);
    restFold.hidden = count === 0;
    moreTitle.hidden = places.more.children.length === 0;
  }

  for (const row of rows) {
    const line = createLine(row, { edited, ticked: settle, moved: move });
    lines.set(line.root, line);
    places[nameList(row)].append(line.root);
  }
  return { root, check };
}
