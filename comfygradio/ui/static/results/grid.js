// The grid of results: only the rows and columns in sight are elements, so that thousands of cells
// cost no more than dozens.

/** @import { Heading } from "./grid_labels.js" */
/** @import { Host } from "./host.js" */
/** @import { Plan } from "./plan.js" */

import { make, say } from "../library/elements.js";
import { createHeading } from "./grid_labels.js";
import { createRows } from "./grid_rows.js";
import { followScroll } from "./grid_scroll.js";
import { loadPictures, playVideos } from "./media.js";
import { findInSight, findNeighbour, makePlan } from "./plan.js";
import { findRating } from "./rating.js";

/** Pixels beyond what is seen that are drawn too. */
const BEYOND = 400;
/** What is beyond is drawn so much later than what is seen, when the whole grid is drawn anew. */
const BEYOND_MS = 100;

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
 * Do something once the next frame is shown.
 *
 * @param {() => void} action
 */
function afterFrame(action) {
  requestAnimationFrame(() => setTimeout(action));
}

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
  /** Whether pictures are asked for only when the frame that they belong to has been shown. */
  let isDrawingAnew = false;
  const rows = createRows(host, canvas, {
    open,
    isLater: () => isDrawingAnew || scroll.isFlying(),
  });
  /** What names the columns; null where none are named. @type {Heading | null} */
  let heading = null;
  /** The cell that the Tab key reaches. @type {number | null} */
  let current = null;
  /** What is seen. It is remembered, since asking after a change makes the browser lay out. */
  const seen = { top: 0, left: 0, width: 0, height: 0 };
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
    const { flows, top, side, count, columnWidth, rowHeight } = planned;
    const length = planned.lines.length;
    const height = top + length * rowHeight;
    const width = flows ? planned.width : side + count * columnWidth;
    canvas.style.width = flows ? "100%" : `${width}px`;
    canvas.style.height = `${height}px`;
    root.setAttribute("aria-rowcount", String(length));
    root.setAttribute("aria-colcount", String(count));
    seen.top = Math.min(seen.top, Math.max(0, height - seen.height));
    seen.left = Math.min(seen.left, Math.max(0, width - planned.width));
    rows.begin(planned);
    heading = flows ? null : createHeading(host, planned);
    const parts = heading ? [heading.root] : [];
    if (length === 0 || count === 0) {
      const isAll = host.layout.show === "all";
      parts.push(say(host.name("none"), isAll ? "There is nothing to show." : host.nothingFits));
    }
    canvas.replaceChildren(...parts);
    isDrawingAnew = true;
    paint(0);
    isDrawingAnew = false;
    afterFrame(() => {
      rows.pauseSpare();
      loadPictures(canvas);
    });
    clearTimeout(completing);
    completing = setTimeout(complete, BEYOND_MS);
    // A video that is moved in the page stops.
    playVideos();
  }

  /** Draw what is beyond as well, and let go of the cards of the plan before that are not used. */
  function complete() {
    paint();
    rows.dropSpare();
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
    const sight = findInSight(y, seen.height, rowHeight, lines.length, beyond);
    /** @type {[number, number]} */
    const all = [0, count];
    const columns = flows ? all : findInSight(x, seen.width, columnWidth, count, beyond);
    rows.fill(sight, columns, current ?? findFirst());
    heading?.fill(columns);
  }

  function findFirst() {
    return plan?.lines[0]?.[0];
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
    for (const card of rows.listCards()) {
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

  /** Read how far it was scrolled since it was read last, in pixels. */
  function readMoved() {
    const before = seen.top + seen.left;
    readScroll();
    return Math.abs(seen.top + seen.left - before);
  }

  /** @param {number} at */
  function focusCell(at) {
    const place = plan?.places.get(at);
    if (!plan || !place) return;
    current = at;
    scrollTo(plan, ...place);
    for (const card of rows.listCards()) {
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
    rows.drop();
    plan = null;
    resized.disconnect();
  }

  root.addEventListener("keydown", (event) => {
    const target = /** @type {Element} */ (event.target);
    const card = rows.listCards().find((one) => one.root.contains(target));
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

  const scroll = followScroll(root, {
    readMoved,
    paint: () => paint(),
    land: () => loadPictures(canvas),
  });

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
