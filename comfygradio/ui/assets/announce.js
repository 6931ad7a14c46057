// Tells those who hear the page how their jobs are: begun, each quarter, ended; not every step.
const QUARTER = 25;
const ENDINGS = { done: "The picture is ready.", stopped: "Stopped early.", failed: "Not finished." };
const ENDINGS_OF_MANY = { done: " is ready.", stopped: ": stopped early.", failed: ": not finished." };
const heardOf = new Map();   // of each job the phase and the quarter that were known last
let hasBegun = false;        // whether Generate was pressed on this page: a page that comes back speaks of no old pictures

document.addEventListener("click", ({ target }) => {
  if (target.closest?.(".cg-generate")) hasBegun = true;
}, true);

function announce(message) {
  const sentences = message.jobs.map((one, index) => {
    const before = heardOf.get(one.token);
    const quarter = Math.max(Math.min(Math.floor(one.percent / QUARTER), 3), before?.quarter ?? 0);
    const now = { phase: one.phase, quarter };
    heardOf.set(one.token, now);
    const name = message.jobs.length > 1 ? `Picture ${index + 1} of ${message.jobs.length}` : "";
    if (isOver(one)) return nameEnding(one, before, name, message);
    const news = nameNews(one, before, now, message);
    return news && name ? `${name}: ${news.toLowerCase()}` : news;
  });
  const text = sentences.filter(Boolean).join(" ");
  if (text) $("said").textContent = text;
}

function nameEnding(one, before, name, message) {
  const isKnown = before ? isOver(before) : !hasBegun;
  if (isKnown) return "";
  const ending = name ? name + ENDINGS_OF_MANY[one.phase] : ENDINGS[one.phase];
  const warnings = one.token === message.token ? message.warnings : [];
  return [ending, ...warnings].join(" ");
}

function nameNews(one, before, now, message) {
  if (one.phase === "waiting") return before || !one.place ? "" : "Waiting in line.";
  if (before?.phase !== "running") return hasBegun || !now.quarter ? "Started." : `${QUARTER * now.quarter} percent.`;
  const isNew = now.quarter > before.quarter && one.token === message.token;
  return isNew ? `${QUARTER * now.quarter} percent.` : "";
}
