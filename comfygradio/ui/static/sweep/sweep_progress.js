// How a sweep goes on: its bar, what it says about itself, and what can be done with it.

/** @import { Layout } from "../results/layout.js" */
/** @import { Sweep } from "./page_host.js" */
/** @import { Desk } from "./sweep_page.js" */

import { make, press, setText } from "../library/elements.js";
import { drawDownloads } from "./downloads.js";
import { goTo } from "./place.js";

/**
 * Whether nothing runs, and nothing will unless somebody says so.
 *
 * @param {Pick<Sweep, "phase" | "counts">} sweep
 */
export function isAtRest({ phase, counts }) {
  if (phase === "running" || counts.running > 0) return false;
  return phase !== "done" || counts.waiting === 0;
}

/**
 * Count how many of a hundred parts of a sweep are over.
 *
 * @param {Pick<Sweep, "counts" | "total">} sweep
 */
export function countPercent({ counts, total }) {
  if (total === 0) return 100;
  const over = counts.done + counts.failed + counts.stopped;
  return Math.floor((100 * over) / total);
}

/**
 * Make what shows it.
 *
 * @param {Sweep} sweep changes in its place
 * @param {object} around
 * @param {Desk} around.desk
 * @param {(verb: string) => Promise<void>} around.command
 * @param {() => Layout} around.getLayout
 */
export function createProgress(sweep, { desk, command, getLayout }) {
  const fill = make("div", { className: "cg-fill" });
  const bar = make("div", { className: "cg-bar" }, fill);
  bar.setAttribute("role", "progressbar");
  bar.setAttribute("aria-label", "How much of the comparison is done");
  const line = make("span", { className: "cg-line cg-sweep-line" });
  const left = make("span", { className: "cg-time cg-sweep-left" });
  const row = make("div", { className: "cg-row" }, line, left);
  // Read out only now and then.
  const said = make("p", { className: "cg-unseen" });
  said.setAttribute("aria-live", "polite");
  const progress = make("div", { className: "cg-sweep-progress" }, bar, row, said);
  const trouble = make("div", { className: "cg-note cg-sweep-trouble", hidden: true });
  const verbs = make("div", { className: "cg-sweep-actions cg-sweep-verbs" });
  let milestone = "";
  let shape = "";

  function paint() {
    const { phase } = sweep;
    const percent = countPercent(sweep);
    fill.style.transform = `translateX(${percent - 100}%)`;
    bar.setAttribute("aria-valuenow", String(percent));
    progress.dataset.phase = phase;
    setText(line, sweep.line);
    setText(left, sweep.rest);
    setText(trouble, sweep.trouble ?? "");
    trouble.hidden = !sweep.trouble;
    const reached = `${phase} ${Math.floor(percent / 10)}`;
    if (reached !== milestone) {
      milestone = reached;
      said.textContent = [sweep.line, sweep.rest].filter((text) => text !== "").join(", ");
    }
    paintVerbs();
  }

  function paintVerbs() {
    const { phase, counts } = sweep;
    const now = JSON.stringify([phase, counts.failed, isAtRest(sweep)]);
    if (shape === now) return;
    shape = now;
    verbs.replaceChildren(...drawVerbs());
  }

  function drawVerbs() {
    const { phase, counts, title } = sweep;
    /** @type {HTMLElement[]} */
    const buttons = [];
    if (phase === "running") buttons.push(drawVerb("pause", "Pause"));
    if (phase === "planned") buttons.push(drawVerb("resume", "Start"));
    if (phase === "paused" || phase === "stopped") buttons.push(drawVerb("resume", "Resume"));
    if (phase === "running" || phase === "paused") buttons.push(drawVerb("stop", "Stop"));
    if (counts.failed > 0) {
      const which = counts.failed === 1 ? "the failed one" : `${counts.failed} failed`;
      buttons.push(press("cg-small", `Retry ${which}`, () => command("retry")));
    }
    const change = press("cg-small", "Change", changeSweep, {
      title: "Open the editor with these values; what exists already is not made again",
    });
    const downloads = drawDownloads(desk, () => {
      return { token: sweep.token, version: sweep.version, layout: getLayout() };
    });
    buttons.push(change, downloads);
    if (isAtRest(sweep)) {
      const { token } = sweep;
      const remove = () => desk.askToDelete({ token, title }, () => goTo("all", true));
      buttons.push(press("cg-small cg-sweep-danger", "Delete", remove));
    }
    return buttons;
  }

  /**
   * @param {string} verb
   * @param {string} text
   */
  function drawVerb(verb, text) {
    const button = press("cg-small", text, async () => {
      button.disabled = true;
      await command(verb);
      button.disabled = false;
    });
    return button;
  }

  async function changeSweep() {
    const answer = await desk.asking.call("change", { token: sweep.token });
    if (answer.compose) desk.compose(answer.compose);
  }

  /** @param {string} text */
  function complain(text) {
    line.textContent = text;
  }

  paint();
  return { parts: [progress, trouble], verbs, paint, complain };
}
