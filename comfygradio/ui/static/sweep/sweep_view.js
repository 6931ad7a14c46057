// One sweep: its heading, how it goes on, its results, and what has changed since the last look.

/** @import { Cell, Result } from "../results/cell.js" */
/** @import { Host } from "../results/host.js" */
/** @import { Sweep } from "./page_host.js" */
/** @import { Desk } from "./sweep_page.js" */

import { AWAY } from "../library/asking.js";
import { fold, make, press, say } from "../library/elements.js";
import { nameTime } from "../library/words.js";
import { enter } from "../page/chooser.js";
import { go } from "../page/navigation.js";
import { readCell } from "../results/cell.js";
import { createResults } from "../results/results.js";
import {
  createMedia,
  explain,
  findRatio,
  keepLayout,
  keepSize,
  readLayout,
  readResult,
  readSize,
} from "./page_host.js";
import { goTo, readPlace } from "./place.js";
import { createProgress, isAtRest } from "./sweep_progress.js";

const LOOK_MS = 1000;
const CALM_MS = 15_000;
const EAGER_MS = 10_000;

/**
 * Make what shows one sweep after the other.
 *
 * @param {HTMLElement} root
 * @param {HTMLDialogElement} dialog shows one result in large
 * @param {Desk} desk
 */
export function createSweepView(root, dialog, desk) {
  const { asking } = desk;
  /** @type {Sweep | null} */
  let sweep = null;
  /** @type {ReturnType<typeof createShownSweep> | null} */
  let shown = null;
  let lookedAt = 0;
  let isLooking = false;
  /** Until then it is looked at often: one cell may run alone while all else rests. */
  let eagerUntil = 0;

  /** @param {string | null} place where one goes */
  function leave(place) {
    if (sweep?.token !== place) close();
  }

  function close() {
    sweep = null;
    shown?.results.leave();
    shown = null;
  }

  /** @param {string} token */
  async function open(token) {
    if (sweep?.token === token) {
      look();
      return;
    }
    root.replaceChildren(say("cg-info", "One moment …"));
    const answer = await asking.ask("open", { token }).catch(() => ({ error: AWAY }));
    if (readPlace() !== token) return;
    if (!answer.token) {
      const note = make("div", { className: "cg-note" }, answer.error);
      root.replaceChildren(
        note,
        press("cg-small", "All comparisons", () => goTo("all")),
      );
      return;
    }
    close();
    draw(answer);
  }

  /** @param {Sweep} opened */
  function draw(opened) {
    sweep = opened;
    lookedAt = Date.now();
    shown = createShownSweep(opened, { dialog, desk, command });
    root.replaceChildren(...shown.parts);
    shown.results.arrange();
  }

  /**
   * @param {string} verb
   * @param {object} more
   */
  async function command(verb, more = {}) {
    if (!sweep) return;
    eagerUntil = Date.now() + EAGER_MS;
    const { token, version } = sweep;
    const answer = await asking.call(verb, { token, since: version, ...more });
    if (answer.version) hear(answer);
  }

  async function look() {
    if (!sweep || document.hidden || isLooking || readPlace() !== sweep.token) return;
    isLooking = true;
    lookedAt = Date.now();
    const { token, version } = sweep;
    try {
      const answer = await asking.ask("news", { token, since: version });
      if (answer.version) hear(answer);
      else if (answer.error) shown?.complain(answer.error);
    } catch {
      shown?.complain("The app does not answer; this page goes on by itself when it does.");
    }
    isLooking = false;
  }

  /**
   * Show what has changed. Cells come as pairs of number and cell; null for all of them means that
   * everything has to be loaded again.
   *
   * @param {any} news
   */
  function hear({ cells, ...state }) {
    if (!sweep || sweep.token !== state.token) return;
    if (cells === null) {
      close();
      open(state.token);
      return;
    }
    Object.assign(sweep, state);
    shown?.take(cells);
  }

  setInterval(() => {
    if (!sweep) return;
    const isCalm = isAtRest(sweep) && Date.now() > eagerUntil;
    if (Date.now() - lookedAt > (isCalm ? CALM_MS : LOOK_MS - 50)) look();
  }, LOOK_MS / 2);
  document.addEventListener("visibilitychange", look);
  return { open, leave };
}

/**
 * Make what shows a sweep.
 *
 * @param {Sweep} sweep changes in its place
 * @param {object} around
 * @param {HTMLDialogElement} around.dialog
 * @param {Desk} around.desk
 * @param {(verb: string, more?: object) => Promise<void>} around.command
 */
function createShownSweep(sweep, { dialog, desk, command }) {
  const { asking, announce } = desk;
  const { token } = sweep;
  const cells = sweep.cells.map((cell) => readCell(cell, readResult));
  const layout = readLayout(sweep);
  const media = createMedia(sweep);
  /** The size that was wished here. @type {number | null} */
  let wished = null;

  /** @type {Host} */
  const host = {
    title: sweep.title,
    axes: sweep.axes,
    layout,
    media,
    name: (part) => `cg-sweep-${part}`,
    sign: ": ",
    heading: "h3",
    nothingFits: "Nothing fits this choice yet.",
    showsAll: false,
    failedSilently: "It failed.",
    maxSize: 420,
    progress: {
      getLive: (at) => sweep.live?.[at],
      retry: (at) => command("retry", { cell: at }),
    },
    getCell: (at) => cells[at],
    nameState,
    nameDialog: () => "One result",
    explain: (cell) => explain(cell, sweep.phase),
    findRatio: () => findRatio(sweep),
    readSize: () => wished ?? readSize(),
    changeSize: (size) => {
      wished = size;
    },
    keepSize: () => keepSize(wished ?? readSize()),
    keepLayout: () => keepLayout(token, layout),
    planned: () => {},
    rate,
    nameFacts,
    drawNotes: () => [],
    drawMore: (at) => [drawActions(at), drawSettings(at)],
  };
  const results = createResults(host, { dialog });
  const progress = createProgress(sweep, { desk, command, getLayout: () => layout });
  const heading = make(
    "div",
    { className: "cg-heading" },
    make("h2", { textContent: sweep.title }),
    say("", `${sweep.form} · ${nameTime(sweep.created)}`),
  );
  const top = make("div", { className: "cg-sweep-top" }, heading, progress.verbs);

  /** @param {Cell} cell */
  function nameState(cell) {
    if (cell.phase === "waiting" && sweep.phase === "stopped") return "not made";
    return cell.phase;
  }

  /**
   * @param {number} at
   * @param {Result | undefined} result
   */
  function nameFacts(at, result) {
    const cell = cells[at];
    const facts = [
      result?.width ? `${result.width} × ${result.height}` : "",
      cell.seconds ? `${cell.seconds} s` : "",
      cell.phase === "done" ? "" : cell.phase,
    ];
    return facts.filter((fact) => fact !== "").join(" · ");
  }

  /** @param {number} at */
  function drawActions(at) {
    const { phase, results: made } = cells[at];
    const actions = make("div", { className: "cg-sweep-actions" });
    if (sweep.canUse) actions.append(press("cg-take", "Use these values", () => useValues(at)));
    if (phase === "failed" || phase === "stopped") {
      actions.append(press("cg-small", "Retry", () => command("retry", { cell: at })));
    }
    for (const result of made) {
      const href = media.findFile(result);
      if (!href) continue;
      const download = result.name;
      actions.append(make("a", { className: "cg-small", href, download, textContent: "Download" }));
    }
    return actions;
  }

  /** @param {number} at */
  function drawSettings(at) {
    const list = make("dl", { className: "cg-sweep-values" });
    const all = fold("All settings", list);
    all.addEventListener("toggle", async () => {
      if (!all.open) return;
      const answer = await asking.call("settings", { token, cell: at });
      const rows = (answer.values ?? []).flatMap(drawValue);
      list.replaceChildren(...rows);
    });
    return all;
  }

  /** @param {{ label: string, text: string }} row */
  function drawValue({ label, text }) {
    const name = make("dt", { textContent: label });
    return [name, make("dd", { textContent: text || "empty" })];
  }

  /** @param {number} at */
  async function useValues(at) {
    const answer = await asking.send("use", { token, cell: at });
    if (answer.error) {
      announce(answer.error);
      return;
    }
    go("", "", { preset: answer.used });
    enter(answer.used);
    announce(answer.notes.join(" ") || "The values are in the form.");
  }

  /**
   * @param {number} at
   * @param {number} rating
   */
  async function rate(at, rating) {
    const before = cells[at];
    if (before.phase !== "done") return;
    change(at, { ...before, rating });
    const since = sweep.version;
    const answer = await asking.call("rate", { token, since, cell: at, rating });
    if (answer.error) change(at, before);
  }

  /**
   * @param {number} at
   * @param {Cell} cell
   */
  function change(at, cell) {
    cells[at] = cell;
    results.update([at]);
  }

  /**
   * Show what has changed.
   *
   * @param {[number, any][]} news numbers of cells, and how they are described now
   */
  function take(news) {
    for (const [at, described] of news) {
      sweep.cells[at] = described;
      cells[at] = readCell(described, readResult);
    }
    progress.paint();
    results.update(news.map(([at]) => at));
  }

  return {
    parts: [top, ...progress.parts, ...results.parts],
    results,
    take,
    complain: progress.complain,
  };
}
