// The dialog that shows two jobs side by side, with what is different.

/** @import { Desk } from "./desk.js" */
/** @import { Difference } from "./differences.js" */
/** @import { OpenJob } from "./job.js" */

import { closeFromOutside } from "../library/dialogs.js";
import { make, press, say } from "../library/elements.js";
import { nameSame, nameTime } from "../library/words.js";
import { isShown } from "./desk.js";
import { findDifferences, nameValue } from "./differences.js";
import { drawMedia } from "./job_media.js";

/** @param {OpenJob} job */
function drawFigure(job) {
  const result = job.results.find(({ url, text }) => url || text);
  const stage = make("div", { className: "cg-past-stage" }, drawMedia(job, result));
  const textContent = `${job.title} · ${nameTime(job.created)}`;
  return make("figure", {}, stage, make("figcaption", { textContent }));
}

/** @param {Difference} difference */
function drawRow({ label, left, right }) {
  return make(
    "tr",
    {},
    make("th", { scope: "row", textContent: label }),
    make("td", { textContent: nameValue(left) }),
    make("td", { textContent: nameValue(right) }),
  );
}

/**
 * @param {OpenJob} left
 * @param {OpenJob} right
 */
function drawComparison(left, right) {
  const { differences, sameCount } = findDifferences(left.values, right.values);
  const figures = [drawFigure(left), drawFigure(right)];
  const rows = differences.map(drawRow);
  return [
    make("div", { className: "cg-past-pair" }, ...figures),
    make("table", { className: "cg-past-differ" }, make("tbody", {}, ...rows)),
    say("cg-info", nameSame(sameCount)),
  ];
}

/**
 * Make the dialog; gives what opens it for two jobs.
 *
 * @param {HTMLDialogElement} dialog
 * @param {Desk} desk
 */
export function createComparison(dialog, { asking, wishes }) {
  closeFromOutside(dialog);

  return async function compare(/** @type {string[]} */ tokens) {
    const isNewest = wishes.begin();
    const asked = tokens.map((token) => asking.call("open", { token }));
    const [left, right] = await Promise.all(asked);
    if (!isNewest() || !isShown() || !left?.token || !right?.token) return;
    const names = { label: "Close", title: "" };
    const close = press("cg-dialog-close", "×", () => dialog.close(), names);
    dialog.replaceChildren(close, ...drawComparison(left, right));
    dialog.showModal();
    close.focus();
  };
}
