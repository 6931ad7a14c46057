// The list of fields: its value is what the author made of the draft; `source` is handed back as it came.
const KEPT = "comfygradio.draft", PAUSE_MS = 300;
const FIELD = /^[A-Za-z][A-Za-z0-9_]*$/, PRESET = /^[a-z][a-z0-9_]*$/;
let value = {}, painted = "", timer = null, lines = new Map(), lists = {}, problems = {}, isSaved = false;

const remember = () => storage.keep("tab", KEPT, value);

function put() {
  props.value = value = { ...value };
  painted = JSON.stringify(value);
  check();
  clearTimeout(timer);
  timer = setTimeout(send, PAUSE_MS);
}

function send() {
  timer = null;
  remember();
  trigger("edited");
}

function box(name, attributes) {
  const input = make("input", { type: "text", value: value[name], autocomplete: "off", ...attributes });
  input.classList.add("cg-box");
  input.addEventListener("input", () => { value[name] = input.value; put(); });
  return input;
}

function named(label, help, input) {
  const error = make("span", { className: "cg-field-error", hidden: true });
  const children = [make("span", { className: "cg-label", textContent: label }), input, error];
  if (help) children.splice(1, 0, make("span", { className: "cg-info", textContent: help }));
  return Object.assign(make("label", { className: "cg-field" }, ...children), { input, error });
}

function about() {
  lists.name = named("Name", "In addresses and commands, and of its files.", box("name", { className: "cg-mono", spellcheck: false }));
  const title = named("Title", "", box("title")), icon = named("Icon", "", box("icon", { maxLength: 8 }));
  icon.classList.add("cg-icon-field");
  const words = make("div", { className: "cg-set-aside" }, make("div", { className: "cg-side-by-side" }, icon, title), named("Description", "", box("description")));
  return make("section", { className: "cg-about" }, words, lists.name);
}

function line(row) {
  const li = make("li", { className: "cg-pick" });
  const tick = make("input", { type: "checkbox", className: "cg-tick", checked: row.on });
  const label = make("input", { type: "text", value: row.label, className: "cg-box cg-pick-label", autocomplete: "off" });
  const name = make("input", { type: "text", value: row.name, className: "cg-box cg-pick-name cg-mono", autocomplete: "off", spellcheck: false });
  const widget = make("select", { className: "cg-box cg-pick-widget" }, ...(row.widgets.length ? row.widgets : ["—"]).map((kind) => make("option", { textContent: kind, value: kind })));
  const more = make("input", { type: "checkbox", className: "cg-tick", checked: row.advanced });
  const up = make("button", { type: "button", className: "cg-small", textContent: "↑" });
  const down = make("button", { type: "button", className: "cg-small", textContent: "↓" });
  const unfold = make("button", { type: "button", className: "cg-small cg-pick-unfold", textContent: "⋯", ariaExpanded: "false" });
  const error = make("p", { className: "cg-field-error", hidden: true });
  const titled = (node, text) => node.setAttribute("aria-label", text);
  const call = () => {
    titled(tick, row.label + " is in the form");
    titled(label, "Label of " + row.name);
    titled(name, "Name of " + row.label);
    titled(widget, "Kind of " + row.label);
    titled(up, "Move " + row.label + " up");
    titled(down, "Move " + row.label + " down");
    titled(unfold, "More about " + row.label);
  };
  widget.value = row.widget || "—";
  widget.disabled = row.widgets.length < 2;
  tick.addEventListener("change", () => { row.on = tick.checked; settle(row); });
  label.addEventListener("input", () => { row.label = label.value; call(); put(); });
  name.addEventListener("input", () => { row.name = name.value; call(); put(); });
  widget.addEventListener("change", () => { row.widget = widget.value; put(); });
  more.addEventListener("change", () => { row.advanced = more.checked; settle(row); more.focus(); });
  up.addEventListener("click", () => { move(li, li.previousElementSibling, "before"); up.focus(); });
  down.addEventListener("click", () => { move(li, li.nextElementSibling, "after"); down.focus(); });
  unfold.addEventListener("click", () => { unfold.ariaExpanded = String(li.classList.toggle("cg-unfolded")); });
  const about = make("span", { className: "cg-pick-place", textContent: row.place });
  const folded = make("label", { className: "cg-pick-more" }, more, "More settings");
  li.append(tick, make("span", { className: "cg-pick-title", textContent: row.label }), label, unfold, name, widget, make("span", { className: "cg-pick-order" }, up, down), folded, about, error);
  call();
  return Object.assign(li, { row, error, tick, up, down, name });
}

const home = (row) => row.on || row.suggested ? (row.advanced ? lists.more : lists.main) : lists.rest;

function move(li, other, where) {
  if (!other) return;
  other[where](li);
  order();
}

function settle(row) {
  const li = lines.get(row.id), place = home(row);
  const next = li.nextElementSibling ?? li.previousElementSibling;
  if (li.parentNode !== place) {
    const wasHere = li.contains(document.activeElement);
    place.append(li);
    if (wasHere) next?.tick.focus({ preventScroll: true });
    li.classList.add("cg-new");
    setTimeout(() => li.classList.remove("cg-new"), 1200);
  }
  order();
}

function order() {
  value.rows = [lists.main, lists.more, lists.rest].flatMap((place) => [...place.children].map((li) => li.row));
  put();
}

function check() {
  const names = value.rows.filter((row) => row.on).map((row) => row.name);
  for (const { row, error, name, up, down, classList, previousElementSibling, nextElementSibling } of lines.values()) {
    const wrong = !row.on ? "" : !FIELD.test(row.name) ? "A name has letters, digits and _, and begins with a letter."
      : names.filter((other) => other === row.name).length > 1 ? "Another field has this name." : problems[row.name] ?? "";
    error.textContent = wrong;
    error.hidden = !wrong;
    name.toggleAttribute("aria-invalid", Boolean(wrong));
    classList.toggle("cg-off", !row.on);
    up.disabled = !previousElementSibling;
    down.disabled = !nextElementSibling;
  }
  const wrong = PRESET.test(value.name) ? "" : "Small letters, digits and _, beginning with a letter: my_preset.";
  lists.name.error.textContent = wrong;
  lists.name.error.hidden = !wrong;
  lists.moreTitle.hidden = !lists.more.children.length;
  lists.restFold.hidden = !lists.rest.children.length;
  const count = lists.rest.children.length;
  lists.restFold.firstChild.textContent = count === 1 ? "1 further input of this workflow" : count + " further inputs of this workflow";
}

function paint() {
  const now = JSON.stringify(props.value ?? {});
  if (now === painted) return;
  painted = now;
  value = JSON.parse(now);
  body.replaceChildren();
  document.getElementById("cg-author").toggleAttribute("data-drafted", Boolean(value.source));
  if (value.error) body.append(make("div", { className: "cg-note", role: "alert" }, say("", value.error)));
  if (!value.source) return;
  remember();
  problems = {};
  for (const name of ["main", "more", "rest"]) lists[name] = make("ol", { className: "cg-picks" });
  lists.moreTitle = make("h4", { textContent: "More settings, folded away in the form" });
  lists.restFold = fold("", lists.rest);
  const head = make("div", { className: "cg-pick cg-pick-head" }, make("span"), ...["Label", "Name", "Kind"].map((text) => make("span", { textContent: text })));
  const fields = make("section", { className: "cg-picked cg-set-aside" }, make("h3", { textContent: "Fields" }), head, lists.main, lists.moreTitle, lists.more, lists.restFold);
  lines = new Map(value.rows.map((row) => [row.id, line(row)]));
  for (const li of lines.values()) home(li.row).append(li);
  if (value.byHand) body.append(byHand());
  body.append(about());
  if (value.notes.length) body.append(fold(value.notes.length === 1 ? "1 thing worth knowing" : value.notes.length + " things worth knowing", list(value.notes)));
  body.append(fields);
  for (const part of body.querySelectorAll(".cg-set-aside")) part.inert = value.byHand;
  check();
}

function byHand() {
  const back = make("button", { type: "button", className: "cg-small", textContent: "Use the list again" });
  back.addEventListener("click", () => { value.byHand = false; props.value = { ...value }; paint(); put(); });
  return make("div", { className: "cg-by-hand", role: "status" }, say("", "You have changed the preset file by hand. It counts now, and this list is set aside."), back);
}

window.addEventListener("comfygradio-author", ({ detail }) => {
  problems = detail.problems;
  isSaved = detail.saved;
  if (isSaved) storage.drop("tab", KEPT);
  if (value.rows) check();
});
window.addEventListener("comfygradio-flush", ({ detail }) => {
  if (timer === null) return;
  clearTimeout(timer);
  detail.isPending = true;
  send();
});
window.addEventListener("beforeunload", (event) => { if (value.byHand && !isSaved) event.preventDefault(); });
watch("value", paint);
paint();
const kept = storage.read("tab", KEPT, null);
if (kept?.source && !props.value?.source) {
  props.value = { ...kept, byHand: false };
  paint();
  trigger("edited");
}
