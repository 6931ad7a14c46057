// One sweep: its heading, how it goes on, and what has changed since the last look.
const LOOK_MS = 1000, CALM_MS = 15000, EAGER_MS = 10000;
let sweep = null, lookedAt = 0, isLooking = false, eagerUntil = 0;
const isAtRest = () => sweep.phase !== "running" && !sweep.counts.running && (sweep.phase !== "done" || !sweep.counts.waiting);

function leaveSweep(place) {
  if (sweep?.token === place) return;
  sweep = null;
  leaveGrid();
}

async function openSweep(token) {
  if (sweep?.token === token) return void look();
  $("one").replaceChildren(say("cg-info", "One moment …"));
  const answer = await ask("open", { token }).catch(() => ({ error: AWAY }));
  if (readPlace() !== token) return;
  if (!answer.token) return $("one").replaceChildren(make("div", { className: "cg-note" }, answer.error), press("cg-small", "All sweeps", () => go("all")));
  sweep = answer;
  lookedAt = Date.now();
  drawSweep();
}

function drawSweep() {
  const heading = make("div", { className: "cg-heading" }, make("h2", { textContent: sweep.title }), say("", `${sweep.form} · ${nameTime(sweep.created)}`));
  const bar = make("div", { className: "cg-bar" }, make("div", { className: "cg-fill" }));
  bar.setAttribute("role", "progressbar");
  bar.setAttribute("aria-label", "How much of the sweep is done");
  const said = make("p", { className: "cg-sweep-unseen" });
  said.setAttribute("aria-live", "polite");
  const top = make("div", { className: "cg-sweep-top" }, heading, make("div", { className: "cg-sweep-actions cg-sweep-verbs" }));
  const progress = make("div", { className: "cg-sweep-progress" }, bar, make("div", { className: "cg-row" }, make("span", { className: "cg-line cg-sweep-line" }), make("span", { className: "cg-time cg-sweep-left" })), said);
  const error = make("div", { className: "cg-note cg-sweep-trouble", hidden: true });
  $("one").replaceChildren(top, progress, error, ...drawArrangement(), drawGrid());
  showProgress();
  arrange();
}

function showProgress() {
  const { counts, total, phase } = sweep, over = counts.done + counts.failed + counts.stopped;
  const percent = total ? Math.floor(100 * over / total) : 100;
  $("progress").querySelector(".cg-fill").style.transform = `translateX(${percent - 100}%)`;
  $("progress").querySelector(".cg-bar").setAttribute("aria-valuenow", percent);
  $("progress").dataset.phase = phase;
  $("line").textContent = sweep.line;
  $("left").textContent = sweep.rest;
  $("trouble").textContent = sweep.trouble ?? "";
  $("trouble").hidden = !sweep.trouble;
  const milestone = `${phase} ${Math.floor(percent / 10)}`;
  if (showProgress.told !== milestone) { showProgress.told = milestone; $("unseen").textContent = [sweep.line, sweep.rest].filter(Boolean).join(", "); }
  drawVerbs();
}

function drawVerbs() {
  const { phase, counts } = sweep, shape = JSON.stringify([phase, counts.failed, isAtRest()]), place = $("verbs");
  if (place.dataset.shape === shape) return;
  place.dataset.shape = shape;
  const act = (verb, text) => press("cg-small", text, async (event) => { event.target.disabled = true; await command(verb); event.target.disabled = false; });
  const verbs = [];
  if (phase === "running") verbs.push(act("pause", "Pause"));
  if (["paused", "stopped", "planned"].includes(phase)) verbs.push(act("resume", phase === "planned" ? "Start" : "Resume"));
  if (["running", "paused"].includes(phase)) verbs.push(act("stop", "Stop"));
  if (counts.failed) verbs.push(press("cg-small", `Retry ${counts.failed === 1 ? "the failed one" : counts.failed + " failed"}`, () => command("retry")));
  verbs.push(press("cg-small", "Change", changeSweep, "Open the editor with these values; what exists already is not made again"), drawDownloads());
  if (isAtRest()) verbs.push(press("cg-small cg-sweep-danger", "Delete", () => askToDelete(sweep, () => go("all", true))));
  place.replaceChildren(...verbs);
}

async function command(verb, more = {}) {
  eagerUntil = Date.now() + EAGER_MS;   // one cell that is tried again alone runs while all else rests
  const answer = await call(verb, { token: sweep.token, since: sweep.version, ...more });
  if (answer.version && sweep?.token === answer.token) hear(answer);
}

function askToDelete(one, then) {
  confirmFirst(`Delete “${one.title}”?`, "Only the sweep is deleted; its pictures stay in the history.", "Delete", async () => {
    const answer = await call("delete", { token: one.token });
    if (!answer.error) then();
  });
}

async function changeSweep() {
  const answer = await call("change", { token: sweep.token });
  if (answer.compose) compose(answer.compose);
}

async function look() {
  if (!sweep || document.hidden || isLooking || readPlace() !== sweep.token) return;
  isLooking = true;
  lookedAt = Date.now();
  try {
    const answer = await ask("news", { token: sweep.token, since: sweep.version });
    if (answer.version && sweep?.token === answer.token) hear(answer);
    else if (answer.error && sweep) $("line").textContent = answer.error;
  } catch { if (sweep) $("line").textContent = "The app does not answer; this page goes on by itself when it does."; }
  isLooking = false;
}

function hear(news) {   // what has changed; cells come as [place, cell]
  if (news.cells === null) { sweep = null; return void openSweep(news.token); }
  const changed = news.cells.map(([at, cell]) => { sweep.cells[at] = cell; return at; });
  const { cells, ...rest } = news;
  Object.assign(sweep, rest);
  showProgress();
  updateGrid(changed);
  updateOpened(changed);
}

setInterval(() => { if (sweep && Date.now() - lookedAt > (isAtRest() && Date.now() > eagerUntil ? CALM_MS : LOOK_MS - 50)) look(); }, LOOK_MS / 2);
document.addEventListener("visibilitychange", look);
