const note = element.querySelector(".cg-note");
const make = (tag, attributes) => Object.assign(document.createElement(tag), attributes);

function clear() {
  document.querySelectorAll(".cg-field-error[data-of='" + props.preset + "']").forEach((node) => node.remove());
  document.querySelectorAll("#cg-panel-" + props.preset + " [aria-invalid]").forEach((node) => node.removeAttribute("aria-invalid"));
}

function mark([id, text]) {
  const field = document.getElementById(id);
  if (!field) return;
  const error = make("p", { className: "cg-field-error", textContent: text });
  error.dataset.of = props.preset;
  if (field.classList.contains("cg-upload")) field.after(error);   // its height is fixed
  else field.append(error);
  field.querySelector("input, textarea")?.setAttribute("aria-invalid", "true");
}

function paint() {
  const { lines = [], fields = [] } = props.value ?? {};
  clear();
  note.hidden = !lines.length;
  note.replaceChildren(...lines.map((text) => make("p", { textContent: text })));
  fields.forEach(mark);
  if (lines.length) note.scrollIntoView({ block: "nearest", behavior: "smooth" });
}
watch("value", paint);
paint();   // a form that is shown again still says what is wrong
