// What names the rows and columns of a grid of results.

/** @import { Host } from "./host.js" */
/** @import { Plan } from "./plan.js" */
/** @import { Combo } from "./space.js" */

import { make } from "../library/elements.js";
import { GAP, SIDE } from "./plan.js";
import { nameAxes, nameCombo } from "./space.js";

/**
 * @param {Host} host
 * @param {string} className
 * @param {Combo} combo
 * @param {string} role
 */
export function drawLabel(host, className, combo, role) {
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
 * @param {Host} host
 * @param {Plan} plan
 */
function drawCorner(host, { isNarrow }) {
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

/** @typedef {ReturnType<typeof createHeading>} Heading */

/**
 * Make the row that names the columns.
 *
 * @param {Host} host
 * @param {Plan} plan
 */
export function createHeading(host, plan) {
  const root = make("div", { className: host.name("heads") }, drawCorner(host, plan));
  root.setAttribute("role", "row");
  root.style.height = `${plan.top}px`;
  root.classList.toggle("cg-sweep-narrow", plan.isNarrow);
  /** What names each column that is drawn. @type {Map<number, HTMLElement>} */
  const heads = new Map();

  /** @param {number} column */
  function drawHead(column) {
    const head = drawLabel(host, host.name("head"), plan.columns[column], "columnheader");
    const left = plan.side + column * plan.columnWidth;
    head.style.cssText = `left: ${left}px; width: ${plan.cellWidth}px`;
    return head;
  }

  /**
   * Name these columns alone.
   *
   * @param {[number, number]} columns the first, and the one behind the last
   */
  function fill([first, end]) {
    for (const [column, head] of heads) {
      if (column >= first && column < end) continue;
      head.remove();
      heads.delete(column);
    }
    const added = [];
    for (let column = first; column < end; column += 1) {
      if (heads.has(column)) continue;
      const head = drawHead(column);
      heads.set(column, head);
      added.push(head);
    }
    root.append(...added);
  }

  return { root, fill };
}
