// The page of an exported sweep, which needs no server and no network: `bundle.py` writes this and
// all that it imports into one script.

/** @import { Cell, Result } from "../results/cell.js" */
/** @import { Host } from "../results/host.js" */
/** @import { Plan } from "../results/plan.js" */

import { copyText } from "../library/clipboard.js";
import { choose, make, press, say, setText } from "../library/elements.js";
import { createToast } from "../library/toast.js";
import { readCell } from "../results/cell.js";
import { readKeptLayout } from "../results/layout.js";
import { readKeptRatings } from "../results/rating.js";
import { createResults } from "../results/results.js";
import { findPositions, nameAxes, nameCombo } from "../results/space.js";
import { createEmbeddedMedia, isOnlySmall, readResult } from "./embedded_media.js";
import { createKept } from "./kept.js";
import {
  isVisible,
  listValues,
  writeCommand,
  writeJson,
  writeRatings,
  writeValue,
} from "./values.js";

const PHONE = 640;
const MIN_RATIO = 1 / 3;
const MAX_RATIO = 3;

/** @type {[string, string][]} */
const SORTS = [
  ["grid", "As a grid"],
  ["best", "Best rated first"],
  ["fast", "Fastest first"],
  ["slow", "Slowest first"],
];

/** Part of the results → the class that it has besides that of the app's page, if not the part. */
const ALIASES = new Map([
  ["band", "label"],
  ["where-now", "where"],
  ["said", "quiet text"],
  ["how-many", "count"],
]);

/** @type {Record<string, string>} */
const NOTHING_HERE = {
  waiting: "This was not made.",
  running: "This was being made.",
  stopped: "Stopped before anything was made.",
};

/** @param {string} part */
function nameClass(part) {
  return `cg-sweep-${part} ${ALIASES.get(part) ?? part}`;
}

/** @param {Cell} cell */
function nameState(cell) {
  return cell.phase === "waiting" ? "not made" : cell.phase;
}

/**
 * @param {Cell} cell
 * @param {Result | undefined} result
 */
function explain(cell, result) {
  if (result?.problem) return result.problem;
  if (result?.name) return `${result.name} is not in this page.`;
  if (cell.phase === "failed") return cell.error || "It failed, and nothing says why.";
  return NOTHING_HERE[cell.phase] ?? "Nothing was made.";
}

/**
 * Find the ratio of width and height that most pictures have.
 *
 * @param {Cell[]} cells
 */
function findCommonestRatio(cells) {
  const results = cells.flatMap((cell) => cell.results);
  /** @type {Map<number, number>} */
  const counts = new Map();
  for (const { width, height } of results) {
    const ratio = width / height;
    if (width) counts.set(ratio, (counts.get(ratio) ?? 0) + 1);
  }
  const [commonest] = [...counts].sort(([, one], [, two]) => two - one);
  const isSquare = results.some((result) => result.source.t !== undefined);
  const ratio = commonest?.[0] ?? (isSquare ? 1 : 1.5);
  return Math.min(MAX_RATIO, Math.max(MIN_RATIO, ratio));
}

/** Draw everything. */
function draw() {
  const data = JSON.parse(document.getElementById("data")?.textContent ?? "");
  const { axes, fields } = data;
  const { recall, remember } = createKept(data.id);
  const sayInPassing = createToast();
  /** What somebody thought here, over what was exported. */
  const ratings = readKeptRatings(recall("ratings", {}));
  /** @type {Cell[]} */
  const cells = data.cells.map((/** @type {any} */ described, /** @type {number} */ at) => {
    const cell = readCell(described, readResult);
    return { ...cell, rating: ratings[at] ?? cell.rating };
  });
  const layout = readLayout();
  const ratio = findCommonestRatio(cells);
  const media = createEmbeddedMedia(data.thumb, nameClass("quiet"));
  const dialog = make("dialog", { className: nameClass("open") });
  const named = make("p", { className: "dim", hidden: true });

  /**
   * Copy a text, and say that this is done.
   *
   * @param {string} text
   * @param {string} done
   */
  async function copy(text, done) {
    const isCopied = await copyText(text);
    sayInPassing(isCopied ? done : "This browser does not let the page copy.");
  }

  function readLayout() {
    const size = innerWidth < PHONE ? 150 : 190;
    const given = { at: {}, hidden: {}, show: "all", sort: "grid", size, ...data.layout };
    const kept = recall("layout", null);
    const known = readKeptLayout(kept, axes);
    if (!known) return given;
    const isSized = Number.isFinite(kept.size) && kept.size > 0;
    return { ...given, ...known, size: isSized ? kept.size : given.size };
  }

  /** @param {number} at */
  function findValues(at) {
    return listValues(fields, data.cells[at]?.v ?? []);
  }

  /**
   * @param {number} at
   * @param {number} rating
   */
  function rate(at, rating) {
    if (cells[at].phase !== "done") return;
    ratings[at] = rating;
    remember("ratings", ratings);
    cells[at] = { ...cells[at], rating };
    results.update([at]);
  }

  /**
   * @param {number} at
   * @param {Result | undefined} result
   */
  function nameFacts(at, result) {
    const cell = cells[at];
    const facts = [
      cell.phase === "done" ? "" : nameState(cell),
      result?.width ? `${result.width} × ${result.height}` : "",
      cell.seconds ? `${cell.seconds} s` : "",
      cell.server,
    ];
    return facts.filter((fact) => fact !== "").join(" · ");
  }

  /**
   * @param {number} at
   * @param {Result | undefined} result
   */
  function drawNotes(at, result) {
    const { error } = cells[at];
    const notes = [];
    if (result && isOnlySmall(result, media)) {
      const where = "the whole one lies where the comparison was made.";
      notes.push(say("dim", `Only a small picture is in this page; ${where}`));
    }
    if (error && result) notes.push(say("", error));
    return notes;
  }

  /**
   * @param {number} at
   * @param {Result | undefined} result
   */
  function drawMore(at, result) {
    const values = findValues(at);
    const list = make("dl", { className: nameClass("values") });
    for (const { field, json } of values.filter(isVisible)) {
      const text = writeValue(json) || "empty";
      list.append(make("dt", { textContent: field.label }), make("dd", { textContent: text }));
    }
    const actions = make("div", { className: nameClass("actions") });
    const href = result ? media.findFile(result) : "";
    if (href) {
      const download = result?.name ?? "";
      actions.append(make("a", { className: "cg-small", href, download, textContent: "Download" }));
    }
    if (values.length > 0) {
      actions.append(
        press("cg-small", "Copy as JSON", () => copy(writeJson(values), "The values were copied.")),
        press("cg-small", "Copy as command", () => {
          copy(writeCommand(data.preset, values), "The command was copied.");
        }),
      );
    }
    return [actions, list];
  }

  /** Say which axes the captions name. @param {Plan} plan */
  function nameCaptions(plan) {
    setText(named, nameAxes(plan.named, axes, " · "));
    named.hidden = plan.named.length === 0;
  }

  /** @type {Host} */
  const host = {
    title: data.title,
    axes,
    layout,
    media,
    name: nameClass,
    sign: " ",
    heading: "h2",
    nothingFits: "Nothing fits this choice.",
    showsAll: true,
    failedSilently: "Nothing says why.",
    maxSize: 480,
    progress: null,
    getCell: (at) => cells[at],
    nameState,
    nameDialog: (at) => nameCombo(findPositions(at, axes), axes, " ") || data.title,
    explain,
    findRatio: () => ratio,
    readSize: () => layout.size,
    changeSize: (size) => {
      layout.size = size;
    },
    keepSize: () => remember("layout", layout),
    keepLayout: () => remember("layout", layout),
    planned: nameCaptions,
    rate,
    nameFacts,
    drawNotes,
    drawMore,
  };
  const sort = choose("cg-box cg-sweep-show", "Order", SORTS, layout.sort, (value) => {
    layout.sort = value;
    results.arrange();
  });
  const theme = createTheme(recall("theme", ""), (chosen) => remember("theme", chosen));
  const results = createResults(host, { dialog, orders: [sort], end: [theme] });
  const copyRatings = press("link", "Copy ratings as a table", () => {
    const rated = cells.map((cell) => cell.rating);
    copy(writeRatings(axes, rated), "The ratings were copied.");
  });
  const note = [data.note, "Ratings that you give here stay in this browser."];
  const about = make(
    "div",
    { className: "top" },
    make("h1", { textContent: data.title }),
    say("dim", data.line),
  );
  const [bar, panel, pages, grid] = results.parts;
  const foot = make(
    "footer",
    {},
    make("span", { textContent: note.filter((text) => text !== "").join(" ") }),
    copyRatings,
  );
  // The styles of the results are those of the element with this id on the app's page.
  const page = make(
    "main",
    { id: "cg-sweep" },
    about,
    bar,
    panel,
    pages,
    named,
    grid,
    foot,
    dialog,
  );
  document.body.append(page);
  results.arrange();
}

/**
 * Make the button that changes between light and dark.
 *
 * @param {string} chosen what was chosen before; "" if nothing was
 * @param {(chosen: string) => void} keepTheme
 */
function createTheme(chosen, keepTheme) {
  const { dataset } = document.documentElement;
  if (["light", "dark"].includes(chosen)) dataset.theme = chosen;

  function isDark() {
    if (dataset.theme) return dataset.theme === "dark";
    return matchMedia("(prefers-color-scheme: dark)").matches;
  }

  const change = () => {
    dataset.theme = isDark() ? "light" : "dark";
    keepTheme(dataset.theme);
  };
  return press("cg-small", "◐", change, { label: "Light or dark" });
}

draw();
