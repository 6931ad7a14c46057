const rows = make("div", { className: "cg-lora-rows" });
const add = make("button", { type: "button", className: "cg-small", textContent: "Add a LoRA" });
body.append(rows, add);
let painted = "";

const read = () => [...rows.children].map((row) => row.read());
const save = () => { const value = read(); painted = JSON.stringify(value); put(value); };

function build({ name, strength }) {
  const row = make("div", { className: "cg-lora" });
  let chosen = name;
  const box = window.comfygradioCombobox({
    label: "LoRA", shown: name, total: props.total,
    search: (query) => server.search([query]),
    pick: (value) => { chosen = value; save(); },
  });
  const number = make("input", { type: "number", value: strength, step: props.step, title: "Strength" });
  if (props.low !== null) number.min = props.low;
  if (props.high !== null) number.max = props.high;
  number.setAttribute("aria-label", "Strength");
  number.addEventListener("change", save);
  const remove = make("button", { type: "button", className: "cg-small cg-remove", textContent: "✕", title: "Remove" });
  remove.setAttribute("aria-label", "Remove");
  remove.addEventListener("click", () => { row.remove(); save(); });
  row.append(box.root, number, remove);
  row.read = () => ({ name: chosen, strength: number.value === "" ? 1 : Number(number.value) });
  row.focus = () => box.input.focus();
  return row;
}

function paint() {
  const value = props.value ?? [];
  if (JSON.stringify(value) === painted) return;
  painted = JSON.stringify(value);
  rows.replaceChildren(...value.map(build));
}

add.addEventListener("click", () => {
  const row = build({ name: "", strength: 1 });
  rows.append(row);
  row.focus();
});
watch("value", paint);
paint();
