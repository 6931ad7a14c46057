// What people do with a job that is over: another one like it, a favourite, a picture for a form.

/** @import { Target } from "../library/picture_targets.js" */
/** @import { Message, Result } from "./job_message.js" */
/** @import { CardActions } from "./result_card.js" */

import { AWAY } from "../library/asking.js";
import { find } from "../library/template.js";
import { createToast } from "../library/toast.js";
import { useTools } from "../looking/tools.js";
import { enter } from "../page/chooser.js";
import { go } from "../page/navigation.js";

/**
 * What the app answers, besides messages about jobs: a notice that is to be read, or the form that
 * a picture was put into.
 *
 * @typedef {{ notice?: string, error?: string, used?: string, notes?: string[] }} Answer
 */

/**
 * Make the actions.
 *
 * @param {HTMLElement} view
 * @param {(event: string, detail: object) => void} trigger
 * @param {Record<string, (asked: unknown[]) => Promise<any>>} server
 */
export function createResultActions(view, trigger, server) {
  const vary = find(view, "cg-vary");
  const star = find(view, "cg-star");
  const say = createToast();
  let token = "";

  /** @param {boolean} isFavourite */
  function paintStar(isFavourite) {
    star.textContent = isFavourite ? "★" : "☆";
    star.setAttribute("aria-pressed", String(isFavourite));
  }

  async function turnFavourite() {
    const wanted = star.getAttribute("aria-pressed") !== "true";
    const marked = token;
    const away = { notice: AWAY };
    const answer = await server.favourite([marked, wanted]).catch(() => away);
    if (answer.notice) say(answer.notice);
    else if (marked === token) paintStar(answer.favourite);
  }

  /**
   * Show what can be done with a job that is over.
   *
   * @param {Message} message
   */
  function paint(message) {
    const isOther = token !== message.token;
    token = message.token;
    const hasResult = message.results.some((result) => result.url !== "");
    vary.hidden = !message.seed || !hasResult;
    star.hidden = !hasResult;
    // An older message must not undo what was just pressed.
    if (isOther) paintStar(message.favourite);
  }

  /**
   * Put a picture of a job into a form.
   *
   * @param {Message} message
   * @param {Result} result
   * @param {Target} target
   */
  function usePicture(message, result, { preset, field }) {
    const pictures = message.results.filter(({ kind, url }) => kind === "image" && url);
    const index = pictures.indexOf(result);
    trigger("input_picture", { token: message.token, index, preset, field });
  }

  /**
   * List what can be done with a result of a job.
   *
   * @param {Message} message
   * @param {Result} result
   * @param {boolean} isAlone whether it is the only one
   * @returns {CardActions}
   */
  function listFor(message, result, isAlone) {
    const { title, summary, results } = message;
    const job = { token: message.token, title, text: summary, results };
    const place = results.indexOf(result);
    return {
      use: (target) => usePicture(message, result, target),
      look: () => useTools((tools) => tools.look(job, place)),
      offer: (button) => useTools((tools) => tools.offer(job, place, button, isAlone)),
      say,
    };
  }

  /**
   * Take what the app answers besides messages about jobs.
   *
   * @param {Answer} answer
   */
  function takeAnswer({ notice, error, used, notes = [] }) {
    const text = notice ?? error;
    if (text) say(text);
    if (!used) return;
    go("", "", { preset: used });
    enter(used);
    say(notes.join(" ") || "The picture is in the form.");
  }

  vary.addEventListener("click", () => trigger("vary", { token }));
  star.addEventListener("click", turnFavourite);
  window.addEventListener("comfygradio-use", (event) => {
    if (event instanceof CustomEvent) trigger("input_picture", event.detail);
  });
  return { paint, listFor, takeAnswer };
}

/** @typedef {ReturnType<typeof createResultActions>} ResultActions */
