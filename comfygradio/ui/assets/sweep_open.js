// One result, large: the same place in the grid with the arrow keys, its values, and what can be done with it.
let opened = null;

function openCell(at) {
  opened = at;
  drawOpened();
  if (!$("open").open) $("open").showModal();
  $("open").querySelector(".cg-sweep-close").focus({ preventScroll: true });
}

function updateOpened(changed) {
  if (opened === null || !$("open").open) return;
  if (changed.includes(opened)) drawOpened();
  else if (sweep.live?.[opened]) showLiveLarge(sweep.live[opened]);
}

function drawLarge(cell) {
  if (cell.p === "failed") return make("p", { className: "cg-sweep-none-here", textContent: cell.e || "It failed." });
  const result = cell.r?.find(isThere);
  if (!result) return make("p", { className: "cg-sweep-none-here", textContent: { waiting: sweep.phase === "stopped" ? "Not made, since this sweep was stopped; Resume goes on with it." : "Waiting for its turn.", running: "Being made …", stopped: "Stopped before anything was made." }[cell.p] ?? cell.r?.find((one) => one.x)?.x ?? "Nothing was made." });
  if (result.t) return make("pre", { className: "cg-text", textContent: result.t });
  const url = address(result.u);
  if (result.n === "video") return make("video", { src: url, controls: true, loop: true, muted: true, playsInline: true, autoplay: true });
  if (result.n === "audio") return make("audio", { src: url, controls: true });
  if (result.n !== "image") return make("a", { href: url, textContent: result.u.split("/").pop(), className: "cg-file" });
  return make("a", { href: url, target: "_blank", rel: "noopener", title: "Open in full size" }, make("img", { src: address(result.d || result.u), alt: nameCombo(nameIndex(opened)) }));
}

function showLiveLarge(live) {
  const stage = $("open").querySelector(".cg-sweep-stage");
  if (!live.frame || sweep.cells[opened]?.p !== "running") return;
  const frame = stage.querySelector("img.cg-sweep-preview") ?? make("img", { className: "cg-sweep-preview", alt: "Newest preview" });
  frame.src = live.frame;
  if (!frame.isConnected) { stage.querySelector("p")?.remove(); stage.prepend(frame); }
}

function drawPlaces() {   // the value on each axis; choosing another one goes there
  return make("div", { className: "cg-sweep-where-now" }, ...nameIndex(opened).map(([axis, at]) => {
    const { title, labels } = sweep.axes[axis], pick = make("select", { className: "cg-box" }, ...labels.map((label, value) => make("option", { value: String(value), textContent: label })));
    pick.value = String(at);
    pick.addEventListener("change", () => { opened += (Number(pick.value) - at) * countSteps()[axis]; drawOpened(); $("open").querySelectorAll(".cg-sweep-where-now select")[axis].focus(); });
    return make("label", { className: "cg-field" }, make("span", { className: "cg-label", textContent: title }), pick);
  }));
}

function drawStars(cell) {
  const now = cell.k ?? 0, at = opened, can = cell.p === "done";
  const stars = [1, 2, 3, 4, 5].map((count) => {
    const star = press("cg-sweep-star", count <= now ? "★" : "☆", () => { const again = at; rate(again, count === now ? 0 : count); }, plural(count, "star"));
    star.setAttribute("aria-pressed", String(count <= now));
    star.disabled = !can;
    return star;
  });
  const reject = press("cg-small cg-sweep-reject", now < 0 ? "Rejected" : "Reject", () => rate(at, now < 0 ? 0 : -1));
  reject.setAttribute("aria-pressed", String(now < 0));
  reject.disabled = !can;
  const group = make("div", { className: "cg-sweep-rating" }, ...stars, reject);
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", "Rating");
  return group;
}

function drawOpened() {
  const cell = sweep.cells[opened] ?? { p: "waiting" }, at = opened, result = cell.r?.find((one) => one.u);
  const active = document.activeElement, focused = $("open").contains(active) && active.tagName === "BUTTON" ? active.getAttribute("aria-label") ?? active.textContent : "";
  const turn = (name, sign, label, down, right) => {
    const button = press(`cg-sweep-turn cg-sweep-turn-${name}`, sign, () => step(down, right), label);
    button.disabled = move(at, down, right) === null;
    return button;
  };
  const close = press("cg-sweep-close", "×", () => $("open").close(), "Close");
  const stage = make("div", { className: "cg-sweep-stage" }, drawLarge(cell), turn("left", "‹", "Left", 0, -1), turn("right", "›", "Right", 0, 1), turn("up", "‹", "Up", -1, 0), turn("down", "›", "Down", 1, 0));
  const facts = [result?.w ? `${result.w} × ${result.h}` : "", cell.s ? `${cell.s} s` : "", cell.p === "done" ? "" : WORDS[cell.p]].filter(Boolean).join(" · ");
  const actions = [];
  if (sweep.canUse) actions.push(press("cg-take", "Use these values", () => useValues(at)));
  if (cell.p === "failed" || cell.p === "stopped") actions.push(press("cg-small", "Retry", () => command("retry", { cell: at })));
  for (const one of cell.r?.filter((each) => each.u) ?? []) actions.push(make("a", { className: "cg-small", href: address(one.u), download: decodeURIComponent(one.u.split("/").pop()), textContent: "Download" }));
  const all = make("details", { className: "cg-adjusted" }, make("summary", { textContent: "All settings" }), make("dl", { className: "cg-sweep-values" }));
  all.addEventListener("toggle", () => { if (all.open) drawSettings(all.querySelector("dl"), at); });
  const side = make("div", { className: "cg-sweep-facts" }, make("h3", { textContent: sweep.title }), facts ? say("cg-info", facts) : "", drawPlaces(), drawStars(cell), make("div", { className: "cg-sweep-actions" }, ...actions), all);
  $("open").replaceChildren(make("div", { className: "cg-sweep-sheet" }, make("div", { className: "cg-sweep-large" }, stage), side, close));
  if (sweep.live?.[at]) showLiveLarge(sweep.live[at]);
  if (focused) [...$("open").querySelectorAll("button")].find((button) => (button.getAttribute("aria-label") ?? button.textContent) === focused)?.focus({ preventScroll: true });
}

async function drawSettings(place, at) {
  const answer = await call("settings", { token: sweep.token, cell: at });
  place.replaceChildren(...(answer.values ?? []).flatMap((row) => [make("dt", { textContent: row.label }), make("dd", { textContent: row.text || "empty" })]));
}

function step(down, right) {
  const next = move(opened, down, right);
  if (next !== null) { opened = next; drawOpened(); }
}

async function useValues(at) {
  const answer = await send({ token: sweep.token, cell: at });
  if (answer.error) return announce(answer.error);
  window.comfygradioGo("", "", { preset: answer.used });
  window.comfygradioForms.enter(answer.used);
  announce(answer.notes.length ? answer.notes.join(" ") : "The values are in the form.");
}

$("open").addEventListener("keydown", (event) => {
  if (event.target.matches("select, video, audio, input") || event.ctrlKey || event.metaKey) return;
  if (ARROWS[event.key]) { event.preventDefault(); step(...ARROWS[event.key]); }
  else rateByKey(event.key, opened);
});
$("open").addEventListener("close", () => { const at = opened; opened = null; $("open").replaceChildren(); if (sweep && plan && isOverdue) replot(); if (sweep && plan && at !== null) focusNear(at); });
for (const name of ["open", "ask"]) $(name).addEventListener("click", (event) => { if (event.target === $(name)) $(name).close(); });
