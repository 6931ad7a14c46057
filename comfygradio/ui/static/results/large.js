// One result, large: the arrow keys go to the same places as in the grid; beside it are its values,
// its rating, and what can be done with it.

/** @import { Cell, Result } from "./cell.js" */
/** @import { Host, Live } from "./host.js" */

import { closeFromOutside, redraw } from "../library/dialogs.js";
import { choose, make, press, say } from "../library/elements.js";
import { findMain } from "./cell.js";
import { readArrow } from "./grid.js";
import { isCalm } from "./media.js";
import { findRating } from "./rating.js";
import { countStrides, findPositions, nameCombo } from "./space.js";
import { drawStars } from "./stars.js";

/**
 * Make the large view.
 *
 * @param {Host} host
 * @param {object} around
 * @param {HTMLDialogElement} around.dialog
 * @param {(at: number, down: number, right: number) => number | null} around.move finds the cell
 *   beside one
 * @param {(at: number) => void} around.closed
 */
export function createLarge(host, { dialog, move, closed }) {
  /** The cell that is open. @type {number | null} */
  let opened = null;
  /** Which of its results was chosen; null if none was. @type {number | null} */
  let chosen = null;
  /** What is drawn of it now. */
  let stage = make("div");
  let side = make("div");
  let close = make("button");
  /** What the stage shows, as JSON; "" before anything is drawn. */
  let shownStage = "";
  /** What chooses the position on each axis. @type {HTMLSelectElement[]} */
  let picks = [];

  /** @param {number} at */
  function open(at) {
    openCell(at);
    if (!dialog.open) dialog.showModal();
    close.focus({ preventScroll: true });
  }

  /** @param {number} at */
  function openCell(at) {
    opened = at;
    chosen = null;
    draw();
  }

  /** @param {Cell} cell */
  function findResult(cell) {
    if (chosen !== null) return cell.results[chosen];
    return findMain(cell) ?? cell.results[0];
  }

  /**
   * Show that these cells have changed.
   *
   * @param {number[]} changed
   */
  function update(changed) {
    if (opened === null || !dialog.open) return;
    const live = host.progress?.getLive(opened);
    if (changed.includes(opened)) draw();
    else if (live) showLive(live);
  }

  function draw() {
    if (opened === null) return;
    const at = opened;
    const cell = host.getCell(at);
    const result = findResult(cell);
    const focused = nameFocused();
    const before = side;
    side = drawSide(at, cell, result);
    const described = describeStage(at, cell, result);
    // A video would begin anew.
    if (described === shownStage) before.replaceWith(side);
    else drawSheet(at, cell, result);
    shownStage = described;
    const live = host.progress?.getLive(at);
    if (live) showLive(live);
    if (focused) findButton(focused)?.focus({ preventScroll: true });
  }

  /**
   * @param {number} at
   * @param {Cell} cell
   * @param {Result | undefined} result
   */
  function drawSide(at, cell, result) {
    const facts = host.nameFacts(at, result);
    return make(
      "div",
      { className: host.name("facts") },
      make(host.heading, { textContent: host.title }),
      facts ? say("cg-info", facts) : null,
      ...host.drawNotes(at, result),
      drawChoice(cell, result),
      drawPlaces(at),
      drawStars({
        now: cell.rating,
        canRate: cell.phase === "done",
        name: host.name,
        rate: (rating) => host.rate(at, rating),
      }),
      ...host.drawMore(at, result),
    );
  }

  /**
   * Describe all that the stage shows of a cell.
   *
   * @param {number} at
   * @param {Cell} cell
   * @param {Result | undefined} result
   */
  function describeStage(at, cell, result) {
    const { phase } = cell;
    return JSON.stringify({ at, phase, explanation: host.explain(cell, result), result });
  }

  /**
   * Draw everything anew around the side.
   *
   * @param {number} at
   * @param {Cell} cell
   * @param {Result | undefined} result
   */
  function drawSheet(at, cell, result) {
    stage = make(
      "div",
      { className: host.name("stage") },
      drawMedia(at, cell, result),
      drawTurn("left", "‹", "Left", 0, -1),
      drawTurn("right", "›", "Right", 0, 1),
      drawTurn("up", "‹", "Up", -1, 0),
      drawTurn("down", "›", "Down", 1, 0),
    );
    close = press("cg-dialog-close", "×", () => dialog.close(), { label: "Close" });
    for (const video of dialog.querySelectorAll("video")) video.pause();
    dialog.setAttribute("aria-label", host.nameDialog(at));
    const large = make("div", { className: host.name("large") }, stage);
    redraw(dialog, make("div", { className: host.name("sheet") }, large, side, close));
  }

  /** @param {Element} button */
  function nameButton(button) {
    return button.getAttribute("aria-label") ?? button.textContent ?? "";
  }

  /** Name the button that has the keyboard; "" if none has it. */
  function nameFocused() {
    const active = document.activeElement;
    if (!(active instanceof HTMLButtonElement) || !dialog.contains(active)) return "";
    return nameButton(active);
  }

  /** @param {string} name */
  function findButton(name) {
    const buttons = [...dialog.querySelectorAll("button")];
    return buttons.find((button) => nameButton(button) === name);
  }

  /**
   * @param {string} name
   * @param {string} sign
   * @param {string} label
   * @param {number} down
   * @param {number} right
   */
  function drawTurn(name, sign, label, down, right) {
    const className = `cg-dialog-turn ${host.name(`turn-${name}`)}`;
    const button = press(className, sign, () => step(down, right), { label });
    button.disabled = opened === null || move(opened, down, right) === null;
    return button;
  }

  /**
   * @param {number} at
   * @param {Cell} cell
   * @param {Result | undefined} result
   */
  function drawMedia(at, cell, result) {
    const nothing = say(host.name("none-here"), host.explain(cell, result));
    // Where a failed cell can be tried again, why it failed is what counts.
    const isOver = cell.phase !== "failed" || host.progress === null;
    if (!result || !isOver) return nothing;
    if (result.text) return make("pre", { className: "cg-text", textContent: result.text });
    const file = host.media.findFile(result);
    const picture = host.media.findLarge(result);
    if (!file && !picture) return nothing;
    if (result.kind === "video" && file) return drawVideo(result, file);
    if (result.kind === "audio") return make("audio", { src: file, controls: true });
    if (result.kind === "image" || result.kind === "video") {
      return drawPicture(at, result, file, picture);
    }
    return make("a", { href: file, textContent: result.name, className: "cg-file" });
  }

  /**
   * @param {Result} result
   * @param {string} file
   */
  function drawVideo(result, file) {
    const poster = host.media.findPoster(result);
    return make("video", {
      src: file,
      poster,
      controls: true,
      loop: true,
      muted: true,
      playsInline: true,
      autoplay: !isCalm(),
    });
  }

  /**
   * @param {number} at
   * @param {Result} result
   * @param {string} file
   * @param {string} source
   */
  function drawPicture(at, result, file, source) {
    const alt = nameCombo(findPositions(at, host.axes), host.axes, host.sign);
    const picture = make("img", { src: source, alt });
    picture.addEventListener("error", () => host.media.mend(picture, result));
    if (!file) return picture;
    const title = "Open in full size";
    return make("a", { href: file, target: "_blank", rel: "noopener", title }, picture);
  }

  /** @param {Live} live */
  function showLive(live) {
    if (!live.frame || opened === null || host.getCell(opened).phase !== "running") return;
    const known = stage.querySelector("img");
    const frame = known ?? make("img", { alt: "Newest preview" });
    frame.src = live.frame;
    if (known) return;
    stage.querySelector("p")?.remove();
    stage.prepend(frame);
  }

  /**
   * @param {Cell} cell
   * @param {Result | undefined} result
   */
  function drawChoice({ results }, result) {
    if (!host.showsAll || results.length < 2 || !result) return null;
    /** @type {[number, string][]} */
    const options = results.map((_, number) => {
      return [number, `Result ${number + 1} of ${results.length}`];
    });
    return choose("cg-box", "Result", options, results.indexOf(result), (value) => {
      chosen = Number(value);
      draw();
    });
  }

  /**
   * Draw the position on each axis; choosing another one goes there.
   *
   * @param {number} at
   */
  function drawPlaces(at) {
    const strides = countStrides(host.axes);
    const labels = [];
    picks = [];
    for (const [axis, position] of findPositions(at, host.axes)) {
      const { title } = host.axes[axis];
      /** @type {[number, string][]} */
      const options = host.axes[axis].labels.map((label, number) => [number, label]);
      const pick = choose("cg-box", title, options, position, (value) => {
        openCell(at + (Number(value) - position) * strides[axis]);
        picks[axis].focus();
      });
      picks.push(pick);
      const name = make("span", { className: "cg-label", textContent: title });
      labels.push(make("label", { className: "cg-field" }, name, pick));
    }
    return make("div", { className: host.name("where-now") }, ...labels);
  }

  /**
   * @param {number} down
   * @param {number} right
   */
  function step(down, right) {
    const next = opened === null ? null : move(opened, down, right);
    if (next !== null) openCell(next);
  }

  // One dialog serves one sweep after the other, so the last one alone listens.
  dialog.onkeydown = (event) => {
    const target = /** @type {Element} */ (event.target);
    if (target.matches("select, video, audio, input")) return;
    if (opened === null || event.ctrlKey || event.metaKey || event.altKey) return;
    const arrow = readArrow(event);
    if (arrow) {
      event.preventDefault();
      step(...arrow);
      return;
    }
    const rating = findRating(event.key, host.getCell(opened).rating);
    if (rating !== null) host.rate(opened, rating);
  };
  dialog.onclose = () => {
    const at = opened;
    opened = null;
    shownStage = "";
    dialog.replaceChildren();
    if (at !== null) closed(at);
  };
  closeFromOutside(dialog);

  return { open, update, draw, isOpen: () => dialog.open };
}
