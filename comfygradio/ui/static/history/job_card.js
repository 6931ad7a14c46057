// The card of a job in the gallery.

/** @import { Job } from "./job.js" */

import { make, press } from "../library/elements.js";
import { isOver } from "../library/phases.js";
import { drawBadges } from "./badges.js";
import { nameJob, nameOrigin } from "./job_words.js";
import { drawThumbnail } from "./thumbnail.js";

/**
 * What a card does.
 *
 * @typedef {object} CardActions
 * @property {(event: MouseEvent) => void} open
 * @property {(isChosen: boolean) => void} choose
 * @property {() => void} turnFavourite
 */

/** @param {Job} job */
function drawProgress(job) {
  const fill = make("span");
  fill.style.width = `${job.percent}%`;
  return make("span", { className: "cg-past-progress" }, fill);
}

/**
 * @param {Job} job
 * @param {(event: MouseEvent) => void} action
 */
function drawOpener(job, action) {
  const opener = press("cg-past-thumb", "", action);
  // A label of the button would hide the words of the badges from those who hear them.
  const name = make("span", { className: "cg-unseen", textContent: `Open ${nameJob(job)}` });
  opener.append(name, drawThumbnail(job), drawBadges(job));
  if (!isOver(job)) opener.append(drawProgress(job));
  return opener;
}

/**
 * @param {Job} job
 * @param {boolean} isChosen
 * @param {(isChosen: boolean) => void} action
 */
function drawTick(job, isChosen, action) {
  const tick = make("input", {
    type: "checkbox",
    className: "cg-tick cg-past-tick",
    checked: isChosen,
  });
  tick.setAttribute("aria-label", `Select ${nameJob(job)}`);
  tick.addEventListener("change", () => action(tick.checked));
  return tick;
}

/**
 * @param {Job} job
 * @param {() => void} action
 */
function drawStar(job, action) {
  const sign = job.favourite ? "★" : "☆";
  const label = `Favourite ${nameJob(job)}`;
  const star = press("cg-past-star", sign, action, { label, title: "" });
  star.setAttribute("aria-pressed", String(job.favourite));
  return star;
}

/** @param {Job} job */
function drawCaption(job) {
  const name = nameJob(job);
  return make(
    "p",
    { className: "cg-past-caption" },
    make("span", { className: "cg-past-say", textContent: name, title: name }),
    make("span", { className: "cg-past-when", textContent: nameOrigin(job) }),
  );
}

/**
 * Draw the card of a job.
 *
 * @param {Job} job
 * @param {boolean} isChosen
 * @param {CardActions} actions
 */
export function drawCard(job, isChosen, actions) {
  const card = make(
    "article",
    { className: "cg-past-card" },
    drawOpener(job, actions.open),
    drawTick(job, isChosen, actions.choose),
    drawStar(job, actions.turnFavourite),
    drawCaption(job),
  );
  card.dataset.phase = job.phase;
  card.classList.toggle("cg-past-is-chosen", isChosen);
  return card;
}

/**
 * Show whether the job of a card is chosen.
 *
 * @param {HTMLElement} card
 * @param {boolean} isChosen
 */
export function markCard(card, isChosen) {
  /** @type {HTMLInputElement | null} */
  const tick = card.querySelector(".cg-past-tick");
  if (tick) tick.checked = isChosen;
  card.classList.toggle("cg-past-is-chosen", isChosen);
}

/**
 * Give the keyboard to a card.
 *
 * @param {HTMLElement} card
 */
export function focusCard(card) {
  /** @type {HTMLElement | null} */
  const opener = card.querySelector(".cg-past-thumb");
  opener?.focus({ preventScroll: true });
}

/**
 * Put a new card of the same job in the place of an old one; the keyboard stays where it was.
 *
 * @param {HTMLElement} old
 * @param {HTMLElement} card
 */
export function replaceCard(old, card) {
  const active = document.activeElement;
  const focused = active && old.contains(active) ? active.className : "";
  old.replaceWith(card);
  if (!focused) return;
  /** @type {NodeListOf<HTMLElement>} */
  const nodes = card.querySelectorAll("button, input");
  const again = [...nodes].find((node) => node.className === focused);
  again?.focus({ preventScroll: true });
}
