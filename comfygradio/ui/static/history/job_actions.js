// What people can do with a job besides looking at it and deleting it.

/** @import { Desk } from "./desk.js" */
/** @import { Target } from "../library/picture_targets.js" */
/** @import { Job, OpenJob } from "./job.js" */

import { make } from "../library/elements.js";
import { enter } from "../page/chooser.js";
import { go } from "../page/navigation.js";

/** A browser needs the address for as long as it fetches what is there. */
const REVOKE_MS = 10_000;

/**
 * @param {string} name
 * @param {string} text
 */
function saveFile(name, text) {
  const blob = new Blob([text], { type: "application/json" });
  const href = URL.createObjectURL(blob);
  const anchor = make("a", { href, download: name });
  document.body.append(anchor);
  anchor.click();
  anchor.remove();
  setTimeout(() => URL.revokeObjectURL(href), REVOKE_MS);
}

/**
 * Mark a job as a favourite, or remove the mark.
 *
 * @param {Desk} desk
 * @param {Job} job
 */
export async function turnFavourite({ asking, gallery, refresh }, job) {
  const answer = await asking.call("favourite", { token: job.token, on: !job.favourite });
  if (answer.error) return;
  const now = gallery.find(job.token) ?? job;
  refresh({ ...now, favourite: answer.favourite });
}

/**
 * Stop a job.
 *
 * @param {Desk} desk
 * @param {string} token
 */
export async function stopJob({ asking, refresh }, token) {
  const job = await asking.call("stop", { token });
  if (job.token) refresh(job);
}

const UI_FORMAT =
  "Saved the workflow as its author arranged it, with the values used (UI format). Drop the file " +
  "onto ComfyUI's canvas.";

/**
 * Save the workflow of a job as a file, and say so where it is the author's layout.
 *
 * @param {Pick<Desk, "asking" | "say">} desk
 * @param {string} token
 */
export async function saveWorkflow({ asking, say }, token) {
  const answer = await asking.call("workflow", { token });
  if (!answer.text) return;
  saveFile(answer.name, answer.text);
  if (answer.format === "ui") say(UI_FORMAT);
}

/**
 * Fill a form by this event, and go there; `said` is said if there is nothing else to say.
 *
 * @param {Desk} desk
 * @param {string} event
 * @param {object} detail
 * @param {string} said
 */
async function fillForm({ asking, say }, event, detail, said) {
  // Makes sure that the app knows the page: an event is not sent again.
  const ready = await asking.call("look", { tokens: [] });
  if (ready.error) return;
  const answer = await asking.send(event, detail);
  if (answer.error) {
    say(answer.error);
    return;
  }
  go("", "", { preset: answer.used });
  enter(answer.used);
  say(answer.notes.join(" ") || said);
}

/**
 * Put the settings of a job into its form.
 *
 * @param {Desk} desk
 * @param {string} token
 */
export function useSettings(desk, token) {
  return fillForm(desk, "use", { token }, "The settings are in the form.");
}

/**
 * Put a result of a job into a form that takes pictures.
 *
 * @param {Desk} desk
 * @param {OpenJob} job
 * @param {number} place of the result among all
 * @param {Target} target
 */
export function usePicture(desk, job, place, { preset, field }) {
  const before = job.results.slice(0, place);
  const index = before.filter((result) => result.kind === "image" && result.url).length;
  const detail = { token: job.token, index, preset, field };
  return fillForm(desk, "input_picture", detail, "The picture is in the form.");
}
