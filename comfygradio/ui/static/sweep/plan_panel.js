// What a draft comes to: how many pictures, how they will run, and the button that starts them.

/** @import { Draft } from "./draft.js" */

import { make, press, say } from "../library/elements.js";
import { TYPE_MS } from "./draft.js";

const MAX_TITLE_LENGTH = 120;

/**
 * How a plan will run, as the app describes it.
 *
 * @typedef {object} How
 * @property {string[]} lines
 * @property {{ name: string, typed: number, planned: number }[]} classes how often each node runs
 */

/**
 * Make the panel.
 *
 * @param {Draft} draft
 * @param {object} editor
 * @param {(wait?: number) => void} editor.study
 * @param {() => Promise<void>} editor.start
 */
export function createPlanPanel(draft, { study, start }) {
  /** Whether the draft can be started as it is now. */
  let isReady = false;
  const button = press("cg-take cg-sweep-start", "Start", async () => {
    button.disabled = true;
    await start();
    // It may have changed meanwhile.
    button.disabled = !isReady;
  });
  const carry = make("input", { type: "checkbox", className: "cg-tick", checked: draft.carry });
  carry.addEventListener("change", () => {
    draft.carry = carry.checked;
    study();
  });
  const title = make("input", {
    className: "cg-box",
    value: draft.title,
    maxLength: MAX_TITLE_LENGTH,
    placeholder: "named after its fields",
  });
  title.addEventListener("input", () => {
    draft.title = title.value;
    study(2 * TYPE_MS);
  });
  const steps = make("div", { className: "cg-sweep-steps" });
  const how = make(
    "details",
    { className: "cg-adjusted cg-sweep-how" },
    make("summary", { textContent: "How it will run" }),
    steps,
    make("label", { className: "cg-sweep-carry" }, carry, "Reuse shared work (faster)"),
  );
  const count = say("cg-sweep-count", "");
  const line = say("cg-sweep-plan", "");
  const total = make("div", { className: "cg-sweep-total" }, count, line);
  total.setAttribute("aria-live", "polite");
  const problem = make("div", { className: "cg-note cg-sweep-problem", hidden: true });
  problem.setAttribute("role", "alert");
  const name = make(
    "label",
    { className: "cg-field" },
    make("span", { className: "cg-label", textContent: "Name" }),
    title,
  );

  function wait() {
    isReady = false;
    button.disabled = true;
  }

  /**
   * Show what the app says about the draft.
   *
   * @param {any} answer
   */
  function show(answer) {
    problem.textContent = answer.error ?? "";
    problem.hidden = !answer.error;
    count.textContent = answer.count ?? "";
    line.textContent = answer.line ?? explain(answer);
    isReady = Boolean(answer.ready);
    button.disabled = !isReady;
    steps.replaceChildren(...(answer.how ? drawHow(answer.how) : []));
    how.hidden = !answer.how;
  }

  return { parts: [total, problem, button, name, how], wait, show };
}

/**
 * Say why a draft has no plan.
 *
 * @param {{ error?: string, axes?: { error?: string }[][] }} answer
 */
export function explain({ error, axes = [] }) {
  if (error) return "";
  const isWrong = axes.flat().some((told) => told.error);
  return isWrong ? "Some of the values cannot be used yet." : "Which setting do you want to vary?";
}

/** @param {How} how */
function drawHow({ lines, classes }) {
  const rows = classes.map(({ name, typed, planned }) => {
    return make(
      "tr",
      {},
      make("th", { scope: "row", textContent: name }),
      make("td", { textContent: typed.toLocaleString("en-GB") }),
      make("td", { textContent: planned.toLocaleString("en-GB") }),
    );
  });
  const head = make(
    "tr",
    {},
    make("td"),
    make("th", { scope: "col", textContent: "As typed" }),
    make("th", { scope: "col", textContent: "Now" }),
  );
  const table = make(
    "table",
    { className: "cg-sweep-runs" },
    make("caption", { textContent: "How often each node runs" }),
    make("thead", {}, head),
    make("tbody", {}, ...rows),
  );
  return [...lines.map((text) => say("cg-info", text)), table];
}
