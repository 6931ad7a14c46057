// The grid of results: only the rows and columns in sight are elements, so that thousands of cells
// cost no more than dozens.

/** @import { Card } from "./cell_card.js" */
/** @import { Host } from "./host.js" */
/** @import { Plan } from "./plan.js" */
/** @import { Combo } from "./space.js" */

import { make, say } from "../library/elements.js";
import { createCard } from "./cell_card.js";
import { loadPictures, playVideos } from "./media.js";
import { findInSight, findNeighbour, GAP, makePlan, SIDE } from "./plan.js";
import { findRating } from "./rating.js";
import { nameAxes, nameCombo } from "./space.js";

/** Pixels beyond what is seen that are drawn too. */
const BEYOND = 400;
/** What is beyond is drawn so much later than what is seen, when the whole grid is drawn anew. */
const BEYOND_MS = 100;
/** Pixels a millisecond; what flies past faster is not loaded, since nobody sees it. */
const FAST = 1.5;
const CALM_DOWN_MS = 120;

/** @type {Record<string, [number, number]>} */
const ARROWS = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
};

/**
 * Find how far down and to the right an arrow key goes; null for any other key.
 *
 * @param {KeyboardEvent} event
 */
export function readArrow(event) {
  return ARROWS[event.key] ?? null;
}

/**
 * A row that is drawn.
 *
 * @typedef {object} Row
 * @property {HTMLElement} root
 * @property {Map<number, Card>} cards column → the card there
 */

/**
 * Make the grid. It is planned by `plot`, once it is in the page.
 *
 * @param {Host} host
 * @param {object} large the large view
 * @param {(at: number) => void} large.open
 * @param {() => boolean} large.isOpen
 */
export function createGrid(host, { open, isOpen }) {
  const canvas = make("div", { className: host.name("canvas") });
  const root = make("div", { className: host.name("grid") }, canvas);
  root.setAttribute("role", "grid");
  root.setAttribute("aria-label", "The results");
  /** @type {Plan | null} */
  let plan = null;
  /** @type {Map<number, Row>} */
  let rows = new Map();
  /** What names the columns; null where none are named. @type {HTMLElement | null} */
  let heading = null;
  /** @type {Map<number, HTMLElement>} */
  let heads = new Map();
  /** Cards of the plan before, which are drawn already. @type {Map<number, Card>} */
  let spare = new Map();
  /** The cell that the Tab key reaches. @type {number | null} */
  let current = null;
  /** What is seen. It is remembered, since asking after a change makes the browser lay out. */
  const seen = { top: 0, left: 0, width: 0, height: 0 };
  let isFlying = false;
  let isOverdue = false;
  /** Draws what is beyond. @type {ReturnType<typeof setTimeout> | undefined} */
  let completing;

  function measure() {
    seen.width = root.clientWidth;
    seen.height = root.clientHeight;
  }

  /** Plan and draw everything anew. */
  function plot() {
    if (!seen.width) measure();
    const width = seen.width || root.parentElement?.clientWidth || 0;
    plan = makePlan({
      axes: host.axes,
      layout: host.layout,
      getCell: host.getCell,
      width,
      size: host.readSize(),
      ratio: host.findRatio(),
    });
    if (current !== null && !plan.places.has(current)) current = null;
    drawFrame(plan);
    host.planned(plan);
  }

  /** Plan anew while it is used: the keyboard stays where it was, or as near as there is. */
  function replot() {
    const hadFocus = root.contains(document.activeElement);
    isOverdue = false;
    plot();
    if (hadFocus) focusNear(current);
  }

  /** @param {Plan} planned */
  function drawFrame(planned) {
    const { flows, isNarrow, top, side, count, columnWidth, rowHeight } = planned;
    const length = planned.lines.length;
    const height = top + length * rowHeight;
    const width = flows ? planned.width : side + count * columnWidth;
    canvas.style.width = flows ? "100%" : `${width}px`;
    canvas.style.height = `${height}px`;
    root.setAttribute("aria-rowcount", String(length));
    root.setAttribute("aria-colcount", String(count));
    seen.top = Math.min(seen.top, Math.max(0, height - seen.height));
    seen.left = Math.min(seen.left, Math.max(0, width - planned.width));
    spare = takeCards();
    heads = new Map();
    heading = null;
    const parts = [];
    if (!flows) {
      heading = make("div", { className: host.name("heads") }, drawCorner(planned));
      heading.setAttribute("role", "row");
      heading.style.height = `${top}px`;
      heading.classList.toggle("cg-sweep-narrow", isNarrow);
      parts.push(heading);
    }
    if (length === 0 || count === 0) {
      const isAll = host.layout.show === "all";
      parts.push(say(host.name("none"), isAll ? "There is nothing to show." : host.nothingFits));
    }
    canvas.replaceChildren(...parts);
    paint(0);
    clearTimeout(completing);
    completing = setTimeout(complete, BEYOND_MS);
    // A video that is moved in the page stops.
    playVideos();
  }

  /** Draw what is beyond as well, and let go of the cards of the plan before that are not used. */
  function complete() {
    paint();
    for (const card of spare.values()) card.drop();
    spare = new Map();
  }

  /** Take all cards out of their rows. */
  function takeCards() {
    const cards = spare;
    for (const card of listCards()) cards.set(card.at, card);
    rows = new Map();
    return cards;
  }

  /**
   * Draw what is in sight and not drawn yet, and drop what is out of sight.
   *
   * @param {number} beyond pixels beyond what is seen that are drawn too
   */
  function paint(beyond = BEYOND) {
    if (!plan) return;
    const { flows, lines, count, rowHeight, columnWidth, top, side } = plan;
    const y = seen.top - top;
    const x = seen.left - side;
    const [first, end] = findInSight(y, seen.height, rowHeight, lines.length, beyond);
    /** @type {[number, number]} */
    const all = [0, count];
    const columns = flows ? all : findInSight(x, seen.width, columnWidth, count, beyond);
    for (const [line, row] of rows) {
      if (line >= first && line < end) continue;
      for (const card of row.cards.values()) card.drop();
      row.root.remove();
      rows.delete(line);
    }
    for (let line = first; line < end; line += 1) {
      const known = rows.get(line);
      const row = known ?? createRow(plan, line);
      fillRow(plan, row, line, columns);
      if (!known) addRow(row, line);
    }
    if (heading) fillHeads(plan, heading, columns);
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
      const label = drawLabel(className, planned.rows[line], "rowheader");
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
   */
  function fillRow(planned, row, line, [first, end]) {
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
      row.cards.set(column, card);
      row.root.append(card.root);
    }
  }

  /** @param {number} at */
  function takeCard(at) {
    const known = spare.get(at);
    spare.delete(at);
    return known ?? createCard(host, at, { open: () => open(at), isFlying: () => isFlying });
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
    card.mark(card.at === (current ?? findFirst()));
    card.paint();
    card.showCaption(planned.named);
  }

  function findFirst() {
    return plan?.lines[0]?.[0];
  }

  /**
   * @param {Plan} planned
   * @param {HTMLElement} place
   * @param {[number, number]} columns
   */
  function fillHeads(planned, place, [first, end]) {
    for (const [column, head] of heads) {
      if (column >= first && column < end) continue;
      head.remove();
      heads.delete(column);
    }
    const added = [];
    for (let column = first; column < end; column += 1) {
      if (heads.has(column)) continue;
      const head = drawLabel(host.name("head"), planned.columns[column], "columnheader");
      const left = planned.side + column * planned.columnWidth;
      head.style.cssText = `left: ${left}px; width: ${planned.cellWidth}px`;
      heads.set(column, head);
      added.push(head);
    }
    place.append(...added);
  }

  /**
   * @param {string} className
   * @param {Combo} combo
   * @param {string} role
   */
  function drawLabel(className, combo, role) {
    const lines = combo.map(([axis, at]) => {
      const line = make("span", { textContent: host.axes[axis].labels[at] });
      // Where a label stands above its row, the style names its axis behind it.
      line.dataset.axis = host.axes[axis].title;
      return line;
    });
    const title = nameCombo(combo, host.axes, host.sign);
    const label = make("div", { className, title }, ...lines);
    label.setAttribute("role", role);
    return label;
  }

  /**
   * Draw what names the axes, once for all rows and columns.
   *
   * @param {Plan} planned
   */
  function drawCorner({ isNarrow }) {
    const { axes, layout } = host;
    const rowNames = `${nameAxes(layout.rows, axes, " / ")} ↓`;
    const columnNames = `${nameAxes(layout.columns, axes, " / ")} →`;
    const corner = make(
      "div",
      { className: host.name("corner") },
      isNarrow ? null : make("span", { textContent: rowNames }),
      make("span", { textContent: columnNames }),
    );
    corner.setAttribute("role", "presentation");
    if (!isNarrow) corner.style.width = `${SIDE - GAP}px`;
    return corner;
  }

  function listCards() {
    return [...rows.values()].flatMap((row) => [...row.cards.values()]);
  }

  /**
   * Show that these cells have changed.
   *
   * @param {number[]} changed
   */
  function update(changed) {
    if (!plan) return;
    const height = Math.round(plan.cellWidth / host.findRatio());
    const isFiltered = host.layout.show !== "all" && changed.length > 0;
    if (height !== plan.cellHeight || isFiltered) {
      if (!isOpen()) {
        replot();
        return;
      }
      // The arrow keys go on as they did until the large view is closed.
      isOverdue = true;
    }
    const news = new Set(changed);
    for (const card of listCards()) {
      const live = host.progress?.getLive(card.at);
      if (news.has(card.at)) card.paint();
      else if (live) card.showLive(live);
    }
  }

  /**
   * Scroll as little as it takes to show a cell.
   *
   * @param {Plan} planned
   * @param {number} row
   * @param {number} column
   */
  function scrollTo({ rowHeight, columnWidth, top, side }, row, column) {
    const y = row * rowHeight;
    const x = column * columnWidth;
    const lowest = top + y + rowHeight - root.clientHeight;
    const rightmost = side + x + columnWidth - root.clientWidth;
    if (y < root.scrollTop) root.scrollTop = y;
    if (lowest > root.scrollTop) root.scrollTop = lowest;
    if (x < root.scrollLeft) root.scrollLeft = x;
    if (rightmost > root.scrollLeft) root.scrollLeft = rightmost;
    readScroll();
    paint();
  }

  function readScroll() {
    seen.top = root.scrollTop;
    seen.left = root.scrollLeft;
  }

  /** @param {number} at */
  function focusCell(at) {
    const place = plan?.places.get(at);
    if (!plan || !place) return;
    current = at;
    scrollTo(plan, ...place);
    for (const card of listCards()) {
      card.mark(card.at === at);
      if (card.at === at) card.focus();
    }
  }

  /**
   * Give the keyboard to a cell, or to the first one if it is not shown.
   *
   * @param {number | null} at
   */
  function focusNear(at) {
    const isShown = at !== null && plan?.places.has(at);
    const near = isShown ? at : findFirst();
    if (near !== undefined) focusCell(near);
  }

  /**
   * Find the cell beside this one; null at the edge.
   *
   * @param {number} at
   * @param {number} down
   * @param {number} right
   */
  function move(at, down, right) {
    return plan ? findNeighbour(plan, at, down, right) : null;
  }

  /** The large view was closed over this cell. @param {number} at */
  function comeBack(at) {
    if (!plan) return;
    if (isOverdue) replot();
    focusNear(at);
  }

  function leave() {
    clearTimeout(completing);
    for (const card of [...listCards(), ...spare.values()]) card.drop();
    spare = new Map();
    rows = new Map();
    plan = null;
    resized.disconnect();
  }

  root.addEventListener("keydown", (event) => {
    const target = /** @type {Element} */ (event.target);
    const card = listCards().find((one) => one.root.contains(target));
    if (!card || event.ctrlKey || event.metaKey || event.altKey) return;
    if (target.matches("audio")) return;
    const arrow = readArrow(event);
    if (arrow) {
      event.preventDefault();
      const next = move(card.at, ...arrow);
      if (next !== null) focusCell(next);
      return;
    }
    const rating = findRating(event.key, host.getCell(card.at).rating);
    if (rating !== null) host.rate(card.at, rating);
  });

  let isDue = false;
  let scrolledAt = 0;
  let landing = 0;
  root.addEventListener(
    "scroll",
    () => {
      const now = performance.now();
      const before = seen.top + seen.left;
      readScroll();
      const far = Math.abs(seen.top + seen.left - before);
      isFlying = far / Math.max(now - scrolledAt, 1) > FAST;
      scrolledAt = now;
      clearTimeout(landing);
      landing = setTimeout(() => {
        isFlying = false;
        loadPictures(canvas);
      }, CALM_DOWN_MS);
      if (isDue) return;
      isDue = true;
      requestAnimationFrame(() => {
        isDue = false;
        paint();
        if (!isFlying) loadPictures(canvas);
      });
    },
    { passive: true },
  );

  const resized = new ResizeObserver(() => {
    const { clientWidth } = root;
    // A grid that is hidden has no size.
    if (!plan || clientWidth === 0) return;
    measure();
    readScroll();
    if (clientWidth !== plan.width) plot();
    else paint();
  });
  resized.observe(root);

  return { root, plot, update, move, comeBack, leave, getPlan: () => plan };
}
