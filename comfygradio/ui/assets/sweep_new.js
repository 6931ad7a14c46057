// The editor: which fields get several values. What is typed survives a reload; nothing runs before Start.
const DRAFT = "comfygradio.sweep", TYPE_MS = 300, AGAIN_MS = 3000;
let draft = null, about = null, cardsOfAxes = [], studied = 0, studying = null, planned = "";

const keepDraft = () => storage.keep("tab", DRAFT, draft);
const blank = (field = "") => ({ field, text: "" });

function compose(started) {   // begins an editor: the form's values, and axes where there are any already
  draft = { axes: [], carry: true, title: "", ...started };
  about = null;
  keepDraft();
  go("new");
}

async function openEditor() {
  draft ??= storage.read("tab", DRAFT, null);
  if (!draft) return go("all", true);
  if (about?.preset === draft.preset) return study();
  const mine = draft;
  $("new").replaceChildren(say("cg-info", "One moment …"));
  const answer = await ask("prepare", { preset: draft.preset, values: draft.values }).catch(() => ({ error: AWAY }));
  if (mine !== draft) return;
  if (!answer.fields) return $("new").replaceChildren(make("div", { className: "cg-note" }, answer.error));
  about = answer;
  if (!draft.axes.length) draft.axes = about.suggested.length ? about.suggested.map((one) => [one]) : [[blank()]];
  drawEditor();
}

function drawEditor() {
  const heading = make("div", { className: "cg-heading" }, make("h2", { textContent: "Try several values" }), say("", `${about.title}: every combination of the values below becomes one picture.`));
  const axes = make("div", { className: "cg-sweep-axes" });
  cardsOfAxes = draft.axes.map((axis) => drawAxis(axis));
  const more = press("cg-small cg-sweep-more", "+ Another field", () => addAxis());
  axes.append(...cardsOfAxes.map((card) => card.root), more);
  const side = make("aside", { className: "cg-sweep-side" }, ...drawPlan(), drawBase());
  $("new").replaceChildren(heading, make("div", { className: "cg-sweep-desk" }, axes, side));
  study();
}

function drawPlan() {
  const start = press("cg-take cg-sweep-start", "Start", () => startSweep(start));
  const carry = make("input", { type: "checkbox", className: "cg-tick", checked: draft.carry });
  carry.addEventListener("change", () => { draft.carry = carry.checked; study(); });
  const title = make("input", { className: "cg-box", value: draft.title, maxLength: 120, placeholder: "named after its fields" });
  title.addEventListener("input", () => { draft.title = title.value; study(2 * TYPE_MS); });
  const how = make("details", { className: "cg-adjusted cg-sweep-how" }, make("summary", { textContent: "How it will run" }), make("div", { className: "cg-sweep-steps" }), make("label", { className: "cg-sweep-carry" }, carry, "Keep what later pictures need in the server’s memory"));
  const count = make("p", { className: "cg-sweep-count" }), line = make("p", { className: "cg-sweep-plan" });
  const live = make("div", { className: "cg-sweep-total" }, count, line);
  live.setAttribute("aria-live", "polite");
  const problem = make("div", { className: "cg-note cg-sweep-problem", hidden: true });
  problem.setAttribute("role", "alert");
  return [live, problem, start, make("label", { className: "cg-field" }, make("span", { className: "cg-label", textContent: "Name" }), title), how];
}

function drawBase() {
  const used = make("dl", { className: "cg-sweep-values" });
  return make("details", { className: "cg-adjusted" }, make("summary", { textContent: "Everything else as in the form" }), used);
}

function fillBase() {
  const changed = new Set(draft.axes.flat().map((entry) => entry.field));
  const rows = about.base.filter((row) => !changed.has(row.name));
  $("side").querySelector(".cg-sweep-values").replaceChildren(...rows.flatMap((row) => [make("dt", { textContent: row.label }), make("dd", { textContent: row.text })]));
}

function addAxis() {
  const axis = [blank()], card = drawAxis(axis);
  draft.axes.push(axis);
  cardsOfAxes.push(card);
  $("more").before(card.root);
  study();
  focusEntry(card.rows[0]);
}

function drawAxis(axis) {
  const root = make("article", { className: "cg-sweep-axis" }), card = { root, rows: [] };
  const link = press("cg-sweep-plain", "Change another field together with it", () => {
    const entry = blank();
    axis.push(entry);
    card.rows.push(drawEntry(axis, entry, card));
    link.before(card.rows.at(-1).root);
    study();
    focusEntry(card.rows.at(-1));
  });
  card.link = link;
  card.rows = axis.map((entry) => drawEntry(axis, entry, card));
  root.append(...card.rows.map((row) => row.root), link);
  return card;
}

const focusEntry = (row) => (row.field.hidden ? row.offers.firstChild : row.field)?.focus();

function dropEntry(axis, entry, card) {
  const at = axis.indexOf(entry);
  card.rows.splice(at, 1)[0].root.remove();
  axis.splice(at, 1);
  if (!axis.length) {
    const place = draft.axes.indexOf(axis);
    draft.axes.splice(place, 1);
    cardsOfAxes.splice(place, 1);
    card.root.remove();
  }
  if (!draft.axes.length) addAxis();
  else { study(); focusEntry(cardsOfAxes[0].rows[0]); }
}

function drawEntry(axis, entry, card) {
  const field = make("select", { className: "cg-box cg-sweep-field" }), error = make("p", { className: "cg-field-error", hidden: true });
  const help = make("p", { className: "cg-info" }), read = make("p", { className: "cg-sweep-read" }), list = make("div", { className: "cg-sweep-list", hidden: true });
  field.setAttribute("aria-label", "Field");
  const box = make("textarea", { className: "cg-box cg-sweep-text", rows: 1, value: entry.text, spellcheck: false });
  const choose = press("cg-small cg-sweep-choose", "Choose", () => toggleList(entry, row));
  choose.setAttribute("aria-expanded", "false");
  const all = press("cg-small cg-sweep-every", "All", () => fillAll(entry, row), "Fill with all choices");
  const gone = press("cg-small cg-remove", "×", () => dropEntry(axis, entry, card), "Remove");
  const offers = make("div", { className: "cg-sweep-offers" }), files = make("div", { className: "cg-sweep-files", hidden: true });
  const row = { root: make("div", { className: "cg-sweep-entry" }, field, box, files, make("div", { className: "cg-sweep-tools" }, choose, all, gone), offers, error, read, list, help), field, box, error, help, read, list, choose, all, offers, files };
  box.setAttribute("aria-describedby", error.id = `cg-sweep-error-${++number}`);
  row.take = (name) => {
    const was = about.fields.find((one) => one.name === entry.field), told = about.fields.find((one) => one.name === name);
    entry.field = name;
    if (!entry.text || entry.text === was?.now || entry.text === was?.suggested) box.value = entry.text = told?.suggested || told?.now || "";
    list.hidden = true;
    choose.setAttribute("aria-expanded", "false");
    study();
    box.select();
    (box.hidden ? files.querySelector("input") : box)?.focus();
  };
  field.addEventListener("change", () => row.take(field.value));
  box.addEventListener("input", () => { entry.text = box.value; row.told = null; study(TYPE_MS); });
  box.addEventListener("keydown", (event) => { if (event.key === "Enter" && !event.shiftKey && row.takes !== "lines") { event.preventDefault(); study(); } });
  return row;
}

function drawFields(entry, select) {   // every field once: one that has an axis already is offered nowhere else
  const taken = new Set(draft.axes.flat().filter((other) => other !== entry).map((other) => other.field));
  const names = about.fields.filter((field) => !taken.has(field.name));
  select.replaceChildren(make("option", { value: "", textContent: "Choose a field …" }), ...names.map((field) => make("option", { value: field.name, textContent: field.label })));
  select.value = entry.field;
  return names;
}

function drawOffers(names, entry, row, told) {
  const isOpen = Boolean(told);   // before a field is chosen, all of them to tap
  row.offers.hidden = isOpen || !names.length;
  row.field.hidden = !row.offers.hidden;
  row.box.hidden = !isOpen || told?.takes === "files";
  row.files.hidden = told?.takes !== "files";
  if (!row.files.hidden) drawFiles(entry, row, told);
  if (isOpen) return;
  row.offers.replaceChildren(...names.map((field) => press("cg-pill", field.label, () => row.take(field.name))));
}

function drawRows() {
  draft.axes.forEach((axis, place) => axis.forEach((entry, at) => {
    const row = cardsOfAxes[place].rows[at], told = about.fields.find((field) => field.name === entry.field);
    drawOffers(drawFields(entry, row.field), entry, row, told);
    row.takes = told?.takes;
    row.box.setAttribute("aria-label", told ? `Values of ${told.label}` : "Values");
    row.help.textContent = told?.help ?? "";
    row.choose.hidden = row.all.hidden = !told?.choices;
    row.root.classList.toggle("cg-sweep-linked", at > 0);
  }));
  cardsOfAxes.forEach((card, place) => { card.link.hidden = !draft.axes[place][0].field || about.fields.length <= draft.axes.flat().length; });
  $("more").hidden = about.fields.length <= draft.axes.flat().length;
}

function study(wait = 0) {   // asks what the draft comes to; only the newest answer counts
  keepDraft();
  if (!wait) { drawRows(); fillBase(); }
  clearTimeout(studying);
  const mine = ++studied;
  $("start").disabled = true;
  studying = setTimeout(async () => {
    const answer = await ask("study", { definition: draft, planned }).catch(() => ({ error: AWAY, axes: [] }));
    if (mine !== studied || $("new").hidden) return;
    planned = answer.token ?? "";
    showStudy(answer);
    if (answer.error === AWAY) studying = setTimeout(study, AGAIN_MS);
  }, wait);
}

function showStudy(answer) {
  cardsOfAxes.forEach((card, place) => card.rows.forEach((row, at) => {
    const told = answer.axes?.[place]?.[at] ?? {};
    row.error.textContent = told.error ?? "";
    row.error.hidden = !told.error;
    if (told.error) row.box.setAttribute("aria-invalid", "true");
    else row.box.removeAttribute("aria-invalid");
    row.read.textContent = told.read ?? "";
    row.told = told;
    if (!row.list.hidden) tickList(row);
  }));
  $("problem").textContent = answer.error ?? "";
  $("problem").hidden = !answer.error;
  $("count").textContent = answer.count ?? "";
  const isWrong = answer.axes?.flat().some((told) => told.error);
  $("plan").textContent = answer.line ?? (answer.error ? "" : isWrong ? "Some of the values cannot be used yet." : "Say which values to try.");
  $("start").disabled = !answer.ready;
  $("steps").replaceChildren(...(answer.how ? drawHow(answer.how) : []));
  $("how").hidden = !answer.how;
}

function drawHow(how) {
  const rows = how.classes.map((one) => make("tr", {}, make("th", { scope: "row", textContent: one.name }), make("td", { textContent: one.typed.toLocaleString("en-GB") }), make("td", { textContent: one.planned.toLocaleString("en-GB") })));
  const head = make("tr", {}, make("td", {}), ...["As typed", "Now"].map((text) => make("th", { scope: "col", textContent: text })));
  return [...how.lines.map((text) => say("cg-info", text)), make("table", { className: "cg-sweep-runs" }, make("caption", { textContent: "How often each node runs" }), make("thead", {}, head), make("tbody", {}, ...rows))];
}

async function startSweep(button) {
  button.disabled = true;
  const answer = await call("start", { definition: draft, planned });
  button.disabled = false;
  if (!answer.token) return;
  storage.drop("tab", DRAFT);
  draft = about = null;
  go(answer.token, true);
}
