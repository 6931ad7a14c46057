// Says above Generate and beside the fields what was refused. What is said of a field goes as soon as that field changes.
const note = element.querySelector(".cg-note");
const make = (tag, attributes) => Object.assign(document.createElement(tag), attributes);
const CONTROLS = "textarea, input:not([type=hidden], [type=file]), select, button, [tabindex='0']";
const FRAMES = 120;   // how long a part of the form that is unfolded may take to be drawn

function clear() {
  document.querySelectorAll(".cg-field-error[data-of='" + props.preset + "']").forEach((node) => node.remove());
  document.querySelectorAll("#cg-panel-" + props.preset + " [aria-invalid]").forEach((node) => node.removeAttribute("aria-invalid"));
}

function mark([id, text]) {
  const field = document.getElementById(id);
  if (!field || field.querySelector(".cg-field-error") || field.nextElementSibling?.matches(".cg-field-error")) return;
  const error = make("p", { className: "cg-field-error", textContent: text });
  error.dataset.of = props.preset;
  if (field.classList.contains("cg-upload")) field.after(error);   // its height is fixed
  else field.append(error);
  field.closest(".cg-seed")?.style.setProperty("--cg-error", error.offsetHeight + 6 + "px");   // its buttons stay beside the box
  field.querySelector("input, textarea")?.setAttribute("aria-invalid", "true");
  if (!field.classList.contains("cg-mask")) return;
  new MutationObserver((_, observer) => {   // it tells nobody of its changes, but is drawn anew with another picture
    observer.disconnect();
    forget(id);
  }).observe(field, { childList: true, subtree: true });
}

function paint() {
  const { lines = [], fields = [] } = props.value ?? {};
  clear();
  note.hidden = !lines.length;
  note.replaceChildren(...lines.map((text) => make("p", { textContent: text })));
  fields.forEach(mark);
}

function tell() {
  paint();
  const { lines = [], fields = [], late } = props.value ?? {};
  if (fields.length && !late) lead(fields);
  else if (lines.length) note.scrollIntoView({ block: "nearest", behavior: choosePace() });
}

const choosePace = () => (matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth");

// Brings the first wrong field into view, and the cursor into it.
function lead(fields, frames = FRAMES) {
  const field = document.getElementById(fields[0][0]);
  if (!field?.checkVisibility() && frames) {
    if (frames === FRAMES) unfold(field);
    requestAnimationFrame(() => lead(fields, frames - 1));
    return;
  }
  fields.forEach(mark);   // those that were folded away
  const control = field && [...field.querySelectorAll(CONTROLS)].find((one) => one.checkVisibility());
  control?.focus({ preventScroll: true });
  (field ?? note).scrollIntoView({ block: "center", behavior: choosePace() });
}

function unfold(field) {   // Gradio may not have drawn what is inside: then all of the form is unfolded
  const panel = document.getElementById("cg-panel-" + props.preset);
  const folds = [...panel.querySelectorAll(".label-wrap:not(.open)")];
  const around = folds.filter((fold) => !field || fold.parentElement.contains(field));
  around.forEach((fold) => fold.click());
}

function forget(id) {   // a field has changed
  const { lines = [], fields = [], late } = props.value ?? {};
  const at = fields.findIndex(([one]) => one === id);
  if (at < 0) return;
  const isOther = (_, index) => index !== at;
  mine = { lines: lines.filter(isOther), fields: fields.filter(isOther), late };
  props.value = mine;
  paint();
}

let mine = null;   // what was left of a refusal, which is nothing new
watch("value", () => {
  if (JSON.stringify(props.value) === JSON.stringify(mine)) return;
  mine = null;
  tell();
});
(window.comfygradioProblems ??= {})[props.preset] = forget;
paint();   // a form that is shown again still says what is wrong
