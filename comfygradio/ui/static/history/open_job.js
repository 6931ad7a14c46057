// The dialog that shows one job at a time, large, with its values and what can be done with it.

/** @import { Desk } from "./desk.js" */
/** @import { Target } from "../library/picture_targets.js" */
/** @import { Job, OpenJob, Result } from "./job.js" */
/** @import { JobActions } from "./job_buttons.js" */
/** @import { Filter } from "./search_bar.js" */

import { closeFromOutside, redraw } from "../library/dialogs.js";
import { make, press, say } from "../library/elements.js";
import { isOver } from "../library/phases.js";
import { drawBadges } from "./badges.js";
import { isShown } from "./desk.js";
import { findNeighbour } from "./gallery_order.js";
import { saveWorkflow, stopJob, turnFavourite, usePicture, useSettings } from "./job_actions.js";
import { drawButtons } from "./job_buttons.js";
import { focusCard } from "./job_card.js";
import { drawStage } from "./job_stage.js";
import { drawValues } from "./job_values.js";
import { nameFacts } from "./job_words.js";

/** More jobs are loaded when so few are left after the one that is open. */
const MIN_AHEAD = 4;

/** In these, the arrow keys do something else. */
const HAS_OWN_ARROWS = "select, input, video, audio";

/**
 * What is done elsewhere.
 *
 * @typedef {object} OpenJobOptions
 * @property {() => Target[]} readTargets what takes a picture now
 * @property {() => void} loadMore
 * @property {(name: string, filter: Filter) => void} narrow
 * @property {(tokens: string[]) => void} moveToTrash
 */

/**
 * Make the dialog work.
 *
 * @param {HTMLDialogElement} dialog
 * @param {Desk} desk
 * @param {OpenJobOptions} options
 */
export function createOpenJob(dialog, desk, options) {
  const { asking, gallery, wishes } = desk;
  /** @type {OpenJob | null} */
  let opened = null;
  /** Which of its results is shown. */
  let place = 0;
  /** Enlarges what is shown. @type {(key: string) => boolean} */
  let followKey = () => false;

  /**
   * Open a job, at one of its results.
   *
   * @param {string} token
   * @param {number} index
   */
  async function open(token, index = 0) {
    const isNewest = wishes.begin();
    const job = await asking.call("open", { token });
    if (!isNewest() || !isShown() || !job.token) return;
    show(job, index);
    if (!dialog.open) dialog.showModal();
    /** @type {HTMLElement | null} */
    const close = dialog.querySelector(".cg-dialog-close");
    close?.focus({ preventScroll: true });
  }

  /**
   * @param {OpenJob} job
   * @param {number} index
   */
  function show(job, index) {
    opened = job;
    place = Math.min(index, Math.max(job.results.length - 1, 0));
    paint(job);
  }

  /**
   * Show a job as it is now, if it is the one that is open.
   *
   * @param {Job} job
   */
  function update(job) {
    if (opened === null || opened.token !== job.token || !dialog.open) return;
    const isOverNow = !isOver(opened) && isOver(job);
    opened = { ...opened, ...job };
    if (isOverNow) open(job.token, place);
    else paint(opened);
  }

  /** @param {number} by how many places */
  function findOther(by) {
    return findNeighbour(gallery.listTokens(), opened?.token ?? "", by);
  }

  /** @param {number} by how many places */
  function step(by) {
    const other = findOther(by);
    if (other !== undefined) open(other);
    if (findOther(by + MIN_AHEAD) === undefined) options.loadMore();
  }

  /**
   * @param {OpenJob} job
   * @param {HTMLButtonElement} button
   */
  async function fetchAgain(job, button) {
    button.disabled = true;
    button.textContent = "Fetching …";
    const now = await asking.call("again", { token: job.token });
    if (!now.token) {
      button.disabled = false;
      button.textContent = "Fetch again";
      return;
    }
    gallery.update(now);
    if (opened?.token === now.token) show(now, place);
    desk.say(now.refused || "Everything is here now.");
  }

  /**
   * @param {OpenJob} job
   * @returns {JobActions}
   */
  function listActions(job) {
    const token = job.token;
    return {
      useSettings: () => useSettings(desk, token),
      usePicture: (target) => usePicture(desk, job, place, target),
      fetchAgain: (button) => fetchAgain(job, button),
      turnFavourite: () => turnFavourite(desk, job),
      saveWorkflow: () => saveWorkflow(desk, token),
      stop: () => stopJob(desk, token),
      moveToTrash: () => options.moveToTrash([token]),
    };
  }

  /**
   * @param {OpenJob} job
   * @param {Result | undefined} result
   */
  function drawSide(job, result) {
    /** @type {(name: string, filter: Filter) => void} */
    function narrow(name, filter) {
      dialog.close();
      options.narrow(name, filter);
    }

    return make(
      "div",
      { className: "cg-past-side" },
      make("h3", { textContent: job.title }),
      say("cg-info", nameFacts(job, result)),
      drawBadges(job),
      job.error ? say("cg-error", job.error) : null,
      drawButtons(job, result, options.readTargets(), listActions(job)),
      ...job.layoutNotes.map((note) => say("cg-info", note)),
      drawValues(job, narrow),
    );
  }

  /** @param {OpenJob} job */
  function drawSheet(job) {
    const stage = drawStage(job, place, {
      hasNeighbour: (by) => findOther(by) !== undefined,
      step,
      pick: (index) => show(job, index),
    });
    const side = drawSide(job, job.results[place]);
    const names = { label: "Close", title: "" };
    const close = press("cg-dialog-close", "×", () => dialog.close(), names);
    followKey = stage.followKey;
    return make("div", { className: "cg-past-sheet" }, stage.root, side, close);
  }

  /** @param {OpenJob} job */
  function paint(job) {
    const active = document.activeElement;
    const focused = active && dialog.contains(active) ? active.textContent : "";
    redraw(dialog, drawSheet(job));
    if (!focused) return;
    const buttons = [...dialog.querySelectorAll("button")];
    const again = buttons.find((button) => button.textContent === focused);
    again?.focus({ preventScroll: true });
  }

  dialog.addEventListener("keydown", (event) => {
    if (event.target instanceof Element && event.target.matches(HAS_OWN_ARROWS)) return;
    if (event.key === "ArrowLeft") step(-1);
    if (event.key === "ArrowRight") step(1);
    const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey;
    if (isPlain && followKey(event.key)) event.preventDefault();
  });
  dialog.addEventListener("close", () => {
    wishes.end();
    const card = opened ? gallery.findCard(opened.token) : undefined;
    if (card) focusCard(card);
    opened = null;
    dialog.replaceChildren();
  });
  closeFromOutside(dialog);
  return { open, update, close: () => dialog.close(), getToken: () => opened?.token ?? "" };
}

/** @typedef {ReturnType<typeof createOpenJob>} OpenJobDialog */
