// The form as people will see it, what is wrong with it, and the button that saves it.
const link = (path) => new URL(path, (window.gradio_config?.root ?? location.origin + location.pathname).replace(/\/?$/, "/")).href;
const messages = make("div", { className: "cg-messages", role: "status" }), card = make("div", { className: "cg-form-card" }), bar = make("div", { className: "cg-save-bar" });
body.append(messages, card, bar);
const saved = new Set();
let before = "", waiting = null;

const parts = {
  text: (f) => make("input", { type: "text", className: "cg-box", value: f.value ?? "", placeholder: f.placeholder }),
  textarea: (f) => make("textarea", { className: "cg-box", rows: 3, value: f.value ?? "", placeholder: f.placeholder }),
  number: (f) => make("input", { className: "cg-box", type: typeof f.value === "string" ? "text" : "number", value: f.value ?? "", min: f.low, max: f.high, step: f.step }),
  slider: (f) => {
    const range = make("input", { type: "range", className: "cg-range", min: f.low, max: f.high, step: f.step, value: f.value });
    const number = make("input", { type: "number", className: "cg-box cg-narrow", min: f.low, max: f.high, step: f.step, value: f.value });
    range.addEventListener("input", () => { number.value = range.value; });
    number.addEventListener("input", () => { range.value = number.value; });
    return make("div", { className: "cg-drawn-slider" }, range, number);
  },
  dropdown: (f) => {
    const entries = f.optional ? ["None", ...f.choices] : f.choices;
    const several = Array.isArray(f.value) ? f.value : [];
    const select = make("select", { className: "cg-box", multiple: Array.isArray(f.value) }, ...entries.map((text) => make("option", { textContent: text, value: text, selected: several.includes(text) })));
    if (f.more) select.append(make("option", { textContent: `… and ${f.more} more`, disabled: true }));
    if (!select.multiple) select.value = f.value || entries[0] || "";
    return select;
  },
  radio: (f) => {
    const pills = f.choices.map((text) => make("button", { type: "button", className: "cg-pill", textContent: text, ariaPressed: String(text === f.value) }));
    for (const pill of pills) pill.addEventListener("click", () => pills.forEach((one) => { one.ariaPressed = String(one === pill); }));
    return make("div", { className: "cg-pills" }, ...pills);
  },
  seed: (f) => make("div", { className: "cg-size" }, make("input", { type: "text", className: "cg-box", value: f.value ?? "", placeholder: "new every time" }), make("span", { className: "cg-drawn-icon cg-dice" }), make("span", { className: "cg-drawn-icon cg-lock" })),
  size: (f) => {
    if (f.choices) return f.choices.length <= 5 ? parts.radio(f) : parts.dropdown(f);
    const [width, height] = String(f.value ?? "").split("x");
    return make("div", { className: "cg-size" }, make("input", { type: "number", className: "cg-box", value: width }), "×", make("input", { type: "number", className: "cg-box", value: height }));
  },
  color: (f) => make("input", { type: "color", className: "cg-color", value: f.value ?? "#000000" }),
  loras: (f) => {
    const rows = (f.value || []).map((row) => make("div", { className: "cg-size" }, make("input", { type: "text", className: "cg-box", value: row.name }), make("input", { type: "number", className: "cg-box cg-narrow", value: row.strength, step: 0.05 })));
    return make("div", { className: "cg-lora-rows" }, ...rows, make("span", { className: "cg-small", textContent: "Add a LoRA" }));
  },
  image: () => drop("Drop a picture here"),
  mask: () => drop("Drop a picture here, then paint over it"),
  video: () => drop("Drop a video here"),
  audio: () => drop("Drop a sound here"),
  file: () => drop("Drop a file here"),
};
const drop = (text) => make("div", { className: "cg-drawn-drop", textContent: text });

function draw(field) {
  const info = [field.help, field.when && "Only while " + field.when + "."].filter(Boolean).join(" ");
  if (field.widget === "checkbox") {
    const tick = make("label", { className: "cg-drawn-tick" }, make("input", { type: "checkbox", className: "cg-tick", checked: Boolean(field.value) }), field.label);
    return make("div", { className: "cg-field" }, tick, ...(info ? [say("cg-info", info)] : []));
  }
  const control = (parts[field.widget] ?? parts.text)(field);
  (control.matches("input, select, textarea") ? control : control.querySelector("input"))?.setAttribute("aria-label", field.label);
  return make("div", { className: "cg-field" }, make("span", { className: "cg-label", textContent: field.label }), ...(info ? [say("cg-info", info)] : []), control);
}

function grouped(fields) {
  const drawn = fields.filter((field) => !field.group).map(draw);
  for (const group of new Set(fields.map((field) => field.group).filter(Boolean)))
    drawn.push(make("section", { className: "cg-drawn-group" }, make("b", { textContent: group }), ...fields.filter((field) => field.group === group).map(draw)));
  return drawn;
}

function drawForm(form) {
  const isOpen = card.querySelector("details")?.open ?? false;
  const advanced = form.fields.filter((field) => field.advanced);
  const heading = make("div", { className: "cg-heading" }, make("h2", { textContent: form.title }), make("p", { textContent: form.description }));
  const more = make("details", { className: "cg-drawn-more", open: isOpen }, make("summary", { textContent: "More settings" }), ...grouped(advanced));
  const examples = form.examples.map((text) => make("span", { className: "cg-drawn-example", textContent: text }));
  const parts = [heading, ...grouped(form.fields.filter((field) => !field.advanced))];
  if (advanced.length) parts.push(more);
  if (examples.length) parts.push(make("div", { className: "cg-pills" }, ...examples));
  card.replaceChildren(say("cg-form-caption", "The form, as people will see it"), ...parts, make("div", { className: "cg-drawn-generate", textContent: "Generate" }));
}

function complain(state) {
  messages.replaceChildren();
  const problems = state.problems ?? [];
  const shown = state.error ? [state.error] : problems.map((one) => one.text);
  const note = make("div", { className: "cg-note", role: "alert" }, ...shown.map((text) => say("", text)));
  if (problems.length) note.prepend(make("b", { textContent: "The form stays closed until this is mended." }));
  if (shown.length) messages.append(note);
  if (state.notes?.length) messages.append(fold(state.notes.length === 1 ? "1 thing was adjusted to this ComfyUI" : state.notes.length + " things were adjusted to this ComfyUI", list(state.notes)));
  const problemsOf = Object.fromEntries(problems.filter((one) => one.field).map((one) => [one.field, one.message]));
  window.dispatchEvent(new CustomEvent("comfygradio-author", { detail: { problems: problemsOf, saved: Boolean(state.saved) } }));
}

async function revision() {
  try { return await (await fetch(link("gradio_api/comfygradio/revision"))).text(); } catch { return before; }
}

function offer(name) {
  const line = make("p", { className: "cg-saved", role: "status", textContent: `Saved as ${name}. The form is being added …` });
  const until = Date.now() + 15000;
  const look = async () => {
    if ((await revision()) === before && Date.now() < until) return void setTimeout(look, 500);
    line.replaceChildren(`Saved as ${name}. `, make("a", { href: "?preset=" + name, textContent: "Open the form" }));
  };
  look();
  return line;
}

function drawBar(state) {
  bar.hidden = state.where === undefined;
  const overwrite = make("input", { type: "checkbox", className: "cg-tick", checked: saved.has(state.name) });
  const save = make("button", { type: "button", className: "cg-take", textContent: "Save preset", disabled: !state.canSave });
  save.addEventListener("click", async () => {
    save.disabled = true;
    before = await revision();
    const detail = { isPending: false }, go = () => trigger("save", { overwrite: state.taken && overwrite.checked });
    window.dispatchEvent(new CustomEvent("comfygradio-flush", { detail }));
    if (detail.isPending) waiting = go;
    else go();
  });
  const taken = make("label", { className: "cg-drawn-tick" }, overwrite, `${state.name} exists already: overwrite it`);
  bar.replaceChildren(...(state.refused ? [make("div", { className: "cg-note", role: "alert" }, say("", state.refused))] : []));
  if (state.saved) { saved.add(state.saved); bar.append(offer(state.saved)); }
  else bar.append(say("cg-info", state.where), ...(state.taken && state.canSave ? [taken] : []), save);
}

function paint() {
  const state = props.value ?? {};
  const isThere = Boolean(state.form || state.error);
  element.classList.toggle("cg-has-form", isThere);
  if (!isThere) {
    for (const part of [messages, card, bar]) part.replaceChildren();
    return;
  }
  complain(state);
  card.classList.toggle("cg-stale", !state.form);
  if (state.form) drawForm(state.form);
  drawBar(state);
  const go = waiting;
  waiting = null;
  go?.();
}
watch("value", paint);
paint();
