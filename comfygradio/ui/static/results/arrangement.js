// What lays the results out: the bar above the grid, the places of the axes, and the pages.

/** @import { Child } from "../library/elements.js" */
/** @import { Host } from "./host.js" */
/** @import { Place } from "./layout.js" */
/** @import { Axis } from "./space.js" */

import { choose, make, press } from "../library/elements.js";
import {
  findPlaceOfAxis,
  listShown,
  moveAxis,
  openShownPages,
  PLACES,
  SHOWS,
  togglePosition,
} from "./layout.js";

const MIN_SIZE = 80;
const SIZE_STEP = 10;

/** Of an axis with more positions than this, the others cannot be hidden. */
const MAX_CHIPS = 200;

/**
 * Make what lays the results out.
 *
 * @param {Host} host
 * @param {object} options
 * @param {() => void} options.plot plans the grid anew
 * @param {Child[]} options.orders what the bar has behind the choice of cells
 * @param {Child[]} options.end what the bar has at its end
 */
export function createArrangement(host, { plot, orders, end }) {
  const { axes, layout } = host;
  const panel = make("div", {
    className: host.name("arrangement"),
    id: "cg-sweep-arrangement",
    hidden: true,
  });
  const pages = make("div", { className: host.name("pages") });
  const open = press("cg-small", "Arrange", () => {
    panel.hidden = !panel.hidden;
    open.setAttribute("aria-expanded", String(!panel.hidden));
    drawPanel();
  });
  open.setAttribute("aria-expanded", "false");
  open.setAttribute("aria-controls", panel.id);
  const swap = press(`cg-small ${host.name("swap")}`, "⇄", swapAxes, {
    label: "Swap rows and columns",
  });
  const show = choose(`cg-box ${host.name("show")}`, "Show", SHOWS, layout.show, (value) => {
    layout.show = value;
    arrange();
  });
  const bar = make(
    "div",
    { className: host.name("bar") },
    axes.length > 0 ? open : null,
    axes.length > 1 ? swap : null,
    show,
    ...orders,
    make("span", { className: host.name("zoom") }, "Size", drawSize()),
    ...end,
  );

  function drawSize() {
    const size = make("input", {
      type: "range",
      className: `cg-range ${host.name("size")}`,
      min: String(MIN_SIZE),
      max: String(host.maxSize),
      step: String(SIZE_STEP),
      value: String(host.readSize()),
    });
    size.setAttribute("aria-label", "Size of the pictures");
    size.addEventListener("input", () => {
      host.changeSize(Number(size.value));
      plot();
    });
    size.addEventListener("change", host.keepSize);
    return size;
  }

  function swapAxes() {
    const { rows, columns } = layout;
    layout.rows = columns;
    layout.columns = rows;
    arrange();
  }

  /** Show the layout after any change of it. */
  function arrange() {
    openShownPages(axes, layout);
    host.keepLayout();
    drawPanel();
    const isSorted = (layout.sort ?? "grid") !== "grid";
    pages.replaceChildren(...(isSorted ? [] : layout.pages.map(drawPager)));
    swap.disabled = layout.rows.length === 0 && layout.columns.length === 0;
    plot();
  }

  /** Draw the places of the axes, once somebody looks at them. */
  function drawPanel() {
    if (panel.hidden) return;
    panel.replaceChildren(...axes.map(drawAxis));
  }

  /**
   * @param {Axis} axis
   * @param {number} number
   */
  function drawAxis({ title, labels }, number) {
    const now = findPlaceOfAxis(number, layout);
    const place = choose("cg-box", `Where to show ${title}`, PLACES, now, (value) => {
      moveAxis(number, /** @type {Place} */ (value), layout);
      arrange();
      panel.querySelectorAll("select")[number].focus();
    });
    const shown = listShown(number, axes, layout);
    const chips = labels.slice(0, MAX_CHIPS).map((label, position) => {
      const isShown = shown.includes(position);
      const chip = press(host.name("chip"), label, () => {
        togglePosition(number, position, axes, layout);
        arrange();
        panel.children[number].querySelectorAll("button")[position].focus();
      });
      chip.setAttribute("aria-pressed", String(isShown));
      chip.title = isShown ? `Hide ${label}` : `Show ${label}`;
      return chip;
    });
    return make(
      "div",
      { className: host.name("where") },
      make("b", { textContent: title }),
      place,
      make("div", { className: host.name("chips") }, ...chips),
    );
  }

  /** @param {number} axis */
  function drawPager(axis) {
    const { title, labels } = axes[axis];
    const shown = listShown(axis, axes, layout);
    const now = shown.indexOf(layout.at[axis]);

    /** @param {number} to */
    function turn(to) {
      layout.at[axis] = shown[(to + shown.length) % shown.length];
      arrange();
    }

    /** @type {[number, string][]} */
    const options = shown.map((position) => [position, labels[position]]);
    return make(
      "div",
      { className: host.name("pager") },
      make("span", { className: "cg-label", textContent: title }),
      press("cg-small", "‹", () => turn(now - 1), { label: `Previous ${title}` }),
      choose("cg-box", title, options, layout.at[axis], (value) => {
        layout.at[axis] = Number(value);
        arrange();
      }),
      press("cg-small", "›", () => turn(now + 1), { label: `Next ${title}` }),
      make("span", { className: "cg-info", textContent: `${now + 1} of ${shown.length}` }),
    );
  }

  return { parts: [bar, panel, pages], arrange };
}
