const RATIOS = [["1:1", 1], ["4:3", 4 / 3], ["3:2", 1.5], ["16:9", 16 / 9], ["9:16", 9 / 16], ["2:3", 2 / 3], ["3:4", 0.75]];
const side = (name) => {
  const box = make("input", { type: "number", step: props.step, inputMode: "numeric" });
  if (props.low !== null) box.min = props.low;
  if (props.high !== null) box.max = props.high;
  box.setAttribute("aria-label", props.title + ": " + name);
  return box;
};
const width = side("width"), height = side("height");
const swap = make("button", { type: "button", className: "cg-icon cg-swap", textContent: "⇄", title: "Swap width and height" });
swap.setAttribute("aria-label", "Swap width and height");
const ratios = make("div", { className: "cg-ratios" });
body.append(make("div", { className: "cg-size" }, width, make("span", { textContent: "×" }), height, swap), ratios);

const text = () => `${width.value}x${height.value}`;
const fit = (pixels) => {
  const rounded = props.start + Math.round((pixels - props.start) / props.step) * props.step;
  return Math.min(props.high ?? Infinity, Math.max(props.low ?? props.step, rounded));
};
const save = () => { mark(); put(text()); };
function mark() {
  const now = Number(width.value) / Number(height.value);
  for (const button of ratios.children) button.setAttribute("aria-pressed", String(Math.abs(button.ratio - now) < 0.02 * now));
}
for (const [name, ratio] of RATIOS) {
  const button = make("button", { type: "button", className: "cg-small", textContent: name });
  button.ratio = ratio;
  button.addEventListener("click", () => {
    const area = Number(width.value) * Number(height.value) || 512 * 512;
    width.value = fit(Math.sqrt(area * ratio));
    height.value = fit(Math.sqrt(area / ratio));
    save();
  });
  ratios.append(button);
}
swap.addEventListener("click", () => { [width.value, height.value] = [height.value, width.value]; save(); });
width.addEventListener("change", save);
height.addEventListener("change", save);

function paint() {
  const [w, h] = String(props.value ?? "").split(/[x×]/);
  if (text() !== `${w}x${h}`) { width.value = w ?? ""; height.value = h ?? ""; }
  mark();
}
watch("value", paint);
paint();
