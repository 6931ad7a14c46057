// The card of a cell: a picture as soon as there is one, quiet before, plain words where something
// went wrong.

/** @import { Cell, Result } from "./cell.js" */
/** @import { Host, Live } from "./host.js" */

import { make, press } from "../library/elements.js";
import { explainNothing, findMain } from "./cell.js";
import { isWanted } from "./layout.js";
import { drawPicture, drawVideo, dropPictures, dropVideos } from "./media.js";
import { nameRating, writeMark } from "./rating.js";
import { findPositions, nameCombo, nameLabels } from "./space.js";

const MAX_TEXT_LENGTH = 400;

/**
 * @typedef {object} Card
 * @property {number} at the number of the cell
 * @property {HTMLElement} root
 * @property {() => void} paint shows the cell as it is now
 * @property {(live: Live) => void} showLive
 * @property {(style: string, width: number) => void} place gives it its place
 * @property {(axes: number[]) => void} showCaption names these axes below it; without any there is
 *   no caption
 * @property {(isReached: boolean) => void} mark lets the Tab key reach the card, or not
 * @property {() => void} focus
 * @property {() => void} drop lets go of what it loads, and takes it out
 */

/**
 * Make the card of a cell.
 *
 * @param {Host} host
 * @param {number} at
 * @param {object} grid
 * @param {() => void} grid.open
 * @param {() => boolean} grid.isLater whether pictures are loaded only by `loadPictures`
 * @returns {Card}
 */
export function createCard(host, at, { open, isLater }) {
  const shot = press(host.name("shot"), "", open);
  const root = make("div", { className: host.name("cell") }, shot);
  root.setAttribute("role", "gridcell");
  /** What is drawn in it now. @type {{ cell: Cell | null, source: string }} */
  let drawn = { cell: null, source: "" };
  /** @type {HTMLElement[]} */
  let beside = [];
  /** How far a running cell is. @type {HTMLElement | null} */
  let bar = null;
  /** @type {HTMLElement | null} */
  let caption = null;
  let cellWidth = 0;

  /** @param {Result | undefined} result */
  function findSource(result) {
    if (result?.kind !== "image") return "";
    return host.media.findSmall(result, cellWidth * Math.min(devicePixelRatio, 2));
  }

  function paint() {
    const cell = host.getCell(at);
    root.dataset.phase = cell.phase;
    root.toggleAttribute("data-rejected", cell.rating < 0);
    root.toggleAttribute("data-unwanted", !isWanted(cell, host.layout.show));
    const names = [
      nameCombo(findPositions(at, host.axes), host.axes, host.sign),
      host.nameState(cell),
      nameRating(cell.rating),
    ];
    shot.setAttribute("aria-label", names.filter((name) => name !== "").join(", "));
    const source = findSource(findMain(cell));
    if (cell !== drawn.cell || source !== drawn.source) draw(cell, source);
    const live = host.progress?.getLive(at);
    if (live) showLive(live);
  }

  /**
   * @param {Cell} cell
   * @param {string} source
   */
  function draw(cell, source) {
    const hadFocus = root.contains(document.activeElement);
    drawn = { cell, source };
    bar = null;
    dropVideos(root);
    shot.replaceChildren(...drawShot(cell, source), ...drawMarks(cell));
    for (const node of beside) node.remove();
    beside = drawBeside(cell);
    shot.after(...beside);
    if (hadFocus) shot.focus({ preventScroll: true });
  }

  /**
   * @param {Cell} cell
   * @param {string} source
   * @returns {HTMLElement[]}
   */
  function drawShot(cell, source) {
    if (cell.phase === "failed") return [drawFailure(cell)];
    if (cell.phase === "running" && host.progress) {
      bar = make("span");
      return [make("span", { className: host.name("run") }, bar)];
    }
    const result = findMain(cell);
    if (!result) return drawNothing(cell);
    if (result.kind === "video") return drawVideo(result, host.media, host.name("play"));
    if (result.kind === "image") return [drawPicture(result, host.media, source, isLater())];
    if (result.text) {
      const text = result.text.slice(0, MAX_TEXT_LENGTH);
      return [make("span", { className: host.name("said"), textContent: text })];
    }
    if (result.kind === "audio") return [drawQuiet("♪")];
    return [drawQuiet(result.name || "File")];
  }

  /** @param {string} text */
  function drawQuiet(text) {
    return make("span", { className: host.name("quiet"), textContent: text });
  }

  /** @param {Cell} cell */
  function drawFailure(cell) {
    // Where it can be tried again, the button says that it failed.
    const heading = host.progress ? null : make("b", { textContent: "Failed" });
    const why = cell.error || host.failedSilently;
    return make("span", { className: host.name("why") }, heading, why);
  }

  /** @param {Cell} cell */
  function drawNothing(cell) {
    if (cell.phase === "waiting") return [];
    if (cell.phase === "stopped") return [drawQuiet("Stopped")];
    if (cell.phase === "running") return [drawQuiet("Running")];
    return [make("span", { className: host.name("why"), textContent: explainNothing(cell) })];
  }

  /** @param {Cell} cell */
  function drawMarks(cell) {
    const marks = [];
    if (cell.rating) {
      const textContent = writeMark(cell.rating);
      marks.push(make("span", { className: host.name("mark"), textContent }));
    }
    const count = cell.results.filter((result) => result.isThere).length;
    if (host.showsAll && count > 1) {
      const className = `${host.name("mark")} ${host.name("how-many")}`;
      marks.push(make("span", { className, textContent: `1 of ${count}` }));
    }
    return marks;
  }

  /**
   * Draw what can be pressed beside the picture.
   *
   * @param {Cell} cell
   * @returns {HTMLElement[]}
   */
  function drawBeside(cell) {
    const { progress } = host;
    if (cell.phase === "failed" && progress) {
      return [press(`cg-small ${host.name("retry")}`, "Retry", () => progress.retry(at))];
    }
    const result = findMain(cell);
    if (result?.kind !== "audio" || !host.showsAll) return [];
    const file = host.media.findFile(result);
    if (!file) return [];
    return [make("audio", { controls: true, preload: "none", src: file })];
  }

  /** @param {Live} live */
  function showLive(live) {
    if (!bar) return;
    bar.style.width = `${live.percent}%`;
    if (!live.frame) return;
    const frame = shot.querySelector("img") ?? make("img", { alt: "" });
    frame.src = live.frame;
    if (!frame.isConnected) shot.prepend(frame);
  }

  /** @param {number[]} axes */
  function showCaption(axes) {
    const combo = findPositions(at, host.axes).filter(([axis]) => axes.includes(axis));
    const ordered = combo.sort(([one], [two]) => axes.indexOf(one) - axes.indexOf(two));
    const text = nameLabels(ordered, host.axes);
    if (text === (caption?.textContent ?? "")) return;
    caption?.remove();
    caption = null;
    if (!text) return;
    const title = nameCombo(ordered, host.axes, host.sign);
    caption = make("p", { className: host.name("caption"), title, textContent: text });
    root.append(caption);
  }

  return {
    at,
    root,
    paint,
    showLive,
    showCaption,
    place: (style, width) => {
      root.style.cssText = style;
      cellWidth = width;
    },
    mark: (isReached) => {
      shot.tabIndex = isReached ? 0 : -1;
    },
    focus: () => shot.focus({ preventScroll: true }),
    drop: () => {
      dropPictures(root);
      dropVideos(root);
      root.remove();
    },
  };
}
