// The rows of a grid of results that are drawn, and their cards.

/** @import { Card } from "./cell_card.js" */
/** @import { Host } from "./host.js" */
/** @import { Plan } from "./plan.js" */

import { make } from "../library/elements.js";
import { createCard } from "./cell_card.js";
import { drawLabel } from "./grid_labels.js";
import { dropPictures } from "./media.js";
import { GAP, SIDE } from "./plan.js";

/**
 * A row that is drawn.
 *
 * @typedef {object} Row
 * @property {HTMLElement} root
 * @property {Map<number, Card>} cards column → the card there
 */

/**
 * Make the rows; there are none until `begin` and `fill` are called.
 *
 * @param {Host} host
 * @param {HTMLElement} canvas
 * @param {object} around
 * @param {(at: number) => void} around.open
 * @param {() => boolean} around.isLater whether pictures are loaded only by `loadPictures`
 */
export function createRows(host, canvas, { open, isLater }) {
  /** @type {Plan | null} */
  let plan = null;
  /** @type {Map<number, Row>} */
  let rows = new Map();
  /** Cards of the plan before, which are drawn already. @type {Map<number, Card>} */
  let spare = new Map();

  function listCards() {
    return [...rows.values()].flatMap((row) => [...row.cards.values()]);
  }

  /** Keep all cards for rows of this plan, and forget the rows of before. @param {Plan} next */
  function begin(next) {
    for (const card of listCards()) spare.set(card.at, card);
    rows = new Map();
    plan = next;
  }

  /** Load nothing more for the cards of the plan before, until they are used. */
  function pauseSpare() {
    for (const card of spare.values()) dropPictures(card.root);
  }

  /** Let go of the cards of the plan before that are not used. */
  function dropSpare() {
    for (const card of spare.values()) card.drop();
    spare = new Map();
  }

  function drop() {
    for (const card of listCards()) card.drop();
    dropSpare();
    rows = new Map();
    plan = null;
  }

  /**
   * Draw these rows alone, and of them these columns.
   *
   * @param {[number, number]} lines the first, and the one behind the last
   * @param {[number, number]} columns
   * @param {number | undefined} reached the cell that the Tab key reaches
   */
  function fill([first, end], columns, reached) {
    if (!plan) return;
    for (const [line, row] of rows) {
      if (line >= first && line < end) continue;
      for (const card of row.cards.values()) card.drop();
      row.root.remove();
      rows.delete(line);
    }
    for (let line = first; line < end; line += 1) {
      const known = rows.get(line);
      const row = known ?? createRow(plan, line);
      fillRow(plan, row, line, columns, reached);
      if (!known) addRow(row, line);
    }
  }

  /**
   * @param {Plan} planned
   * @param {number} line
   * @returns {Row}
   */
  function createRow(planned, line) {
    const { flows, isNarrow, top, rowHeight, cellHeight } = planned;
    const row = make("div", { className: host.name("row") });
    row.style.cssText = `top: ${top + line * rowHeight}px; height: ${rowHeight}px`;
    row.setAttribute("role", "row");
    row.setAttribute("aria-rowindex", String(line + 1));
    if (!flows) {
      const className = host.name(isNarrow ? "band" : "label");
      const label = drawLabel(host, className, planned.rows[line], "rowheader");
      if (!isNarrow) label.style.cssText = `width: ${SIDE - GAP}px; height: ${cellHeight}px`;
      row.append(label);
    }
    return { root: row, cards: new Map() };
  }

  /**
   * Put a row into the page, where those who do not see it come to it in its order.
   *
   * @param {Row} row
   * @param {number} line
   */
  function addRow(row, line) {
    const later = [...rows.keys()].filter((other) => other > line);
    const next = later.length > 0 ? rows.get(Math.min(...later)) : undefined;
    canvas.insertBefore(row.root, next?.root ?? null);
    rows.set(line, row);
  }

  /**
   * @param {Plan} planned
   * @param {Row} row
   * @param {number} line
   * @param {[number, number]} columns
   * @param {number | undefined} reached
   */
  function fillRow(planned, row, line, [first, end], reached) {
    for (const [column, card] of row.cards) {
      if (column >= first && column < end) continue;
      card.drop();
      row.cards.delete(column);
    }
    for (let column = first; column < end; column += 1) {
      const at = planned.lines[line][column];
      if (at === undefined || row.cards.has(column)) continue;
      const card = takeCard(at);
      placeCard(planned, card, column);
      card.mark(at === reached);
      row.cards.set(column, card);
      row.root.append(card.root);
    }
  }

  /** @param {number} at */
  function takeCard(at) {
    const known = spare.get(at);
    spare.delete(at);
    return known ?? createCard(host, at, { open: () => open(at), isLater });
  }

  /**
   * @param {Plan} planned
   * @param {Card} card
   * @param {number} column
   */
  function placeCard(planned, card, column) {
    const { side, band, columnWidth, cellWidth, cellHeight } = planned;
    const left = side + column * columnWidth;
    card.root.setAttribute("aria-colindex", String(column + 1));
    card.place(
      `left: ${left}px; top: ${band}px; width: ${cellWidth}px; height: ${cellHeight}px`,
      cellWidth,
    );
    card.paint();
    card.showCaption(planned.named);
  }

  return { begin, fill, pauseSpare, dropSpare, drop, listCards };
}
