// What the page knows, and small things that all of its parts use.
const data = JSON.parse(document.getElementById("data").textContent), { axes, cells, fields } = data;
const make = (tag, attributes = {}, ...children) => {
  const node = Object.assign(document.createElement(tag), attributes);
  node.append(...children.filter((child) => child !== "" && child !== null));
  return node;
};
const press = (className, text, action, label = "") => {
  const button = make("button", { type: "button", className, textContent: text });
  if (label) { button.setAttribute("aria-label", label); button.title = label; }
  button.addEventListener("click", action);
  return button;
};
const choose = (label, options, value, action) => {
  const list = make("select", {}, ...options.map(([key, text]) => make("option", { value: String(key), textContent: text })));
  list.setAttribute("aria-label", label);
  list.value = String(value);
  list.addEventListener("change", () => action(list.value));
  return list;
};
const plural = (count, one) => `${count.toLocaleString("en-GB")} ${one}${count === 1 ? "" : "s"}`;
const KEY = `comfygradio.sheet.${data.id}`;
// First with the tab's own history: over a reload under load, Chromium now and then loses what a page from a file put into its storages.
const ENTRY = { getItem: (key) => history.state?.[key] ?? null, setItem: (key, text) => history.replaceState({ ...history.state, [key]: text }, "") };
const STORES = [() => ENTRY, () => localStorage];
const recall = (name, fallback) => {
  for (const store of STORES) try { const kept = JSON.parse(store().getItem(`${KEY}.${name}`)); if (kept !== null) return kept; } catch { /* storage is off */ }
  return fallback;
};
const keep = (name, value) => { for (const store of STORES) try { store().setItem(`${KEY}.${name}`, JSON.stringify(value)); } catch { /* storage is off */ } };

const sizes = axes.map((axis) => axis.labels.length);
const strides = sizes.map((_, axis) => sizes.slice(axis + 1).reduce((product, size) => product * size, 1));
const findPositions = (at) => strides.map((stride, axis) => [axis, Math.floor(at / stride) % sizes[axis]]);
const nameCombo = (combo) => combo.map(([axis, at]) => `${axes[axis].title} ${axes[axis].labels[at]}`).join(", ");
const WORDS = { done: "done", running: "running", failed: "failed", stopped: "stopped", waiting: "not made" };
const EMPTY = { p: "waiting" };

const ratings = recall("ratings", {});   // place → what somebody thought here, over what was exported
const readRating = (at) => ratings[at] ?? cells[at]?.k ?? 0;
const nameRating = (rating) => rating < 0 ? "rejected" : rating ? plural(rating, "star") : "";

// Values are kept as the JSON that was exported, so that no digit of a large seed is lost.
const listValues = (at) => fields.map((field, number) => [field, field.values[cells[at]?.v?.[number]]]).filter(([, json]) => json !== undefined);
const showItem = (item) => item && typeof item === "object" ? `${item.name ?? JSON.stringify(item)}${item.strength === undefined ? "" : `:${item.strength}`}` : String(item);
function showValue(json) {   // a text as it is, a number with all its digits, lists with commas
  if (!/^["[{]/.test(json)) return { null: "", true: "on", false: "off" }[json] ?? json;
  const value = JSON.parse(json);
  return Array.isArray(value) ? value.map(showItem).join(", ") : showItem(value);
}
const quote = (text) => /^[\w.,:@%+=/-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
const writeJson = (at) => `{\n${listValues(at).map(([field, json]) => `  ${JSON.stringify(field.name)}: ${json}`).join(",\n")}\n}`;
const writeCommand = (at) => ["comfygradio run", quote(data.preset), ...listValues(at).filter(([field]) => !field.name.startsWith("_")).map(([field, json]) => quote(`${field.name}=${showValue(json)}`))].join(" ");

const toast = make("p", { className: "toast" });
toast.setAttribute("role", "status");
let fading = null;
function announce(text) {
  (document.querySelector("dialog[open]") ?? document.body).append(toast);
  toast.textContent = text;
  clearTimeout(fading);
  fading = setTimeout(() => { toast.textContent = ""; }, 2500);
}

async function copy(text, what) {
  try { await navigator.clipboard.writeText(text); } catch {
    const area = make("textarea", { value: text, className: "unseen" });   // where a page from a file may not use the clipboard
    (document.querySelector("dialog[open]") ?? document.body).append(area);
    area.select();
    const worked = document.execCommand("copy");
    area.remove();
    if (!worked) return announce("This browser does not let the page copy.");
  }
  announce(`${what} copied.`);
}

function rate(at, rating) {
  if (cells[at]?.p !== "done") return;
  ratings[at] = rating;
  keep("ratings", ratings);
  updateCell(at);
  if (opened === at) drawOpened();
}

function rateByKey(key, at) {
  if (/^[0-5]$/.test(key)) rate(at, Number(key));
  else if (key === "x") rate(at, readRating(at) < 0 ? 0 : -1);
}

function writeRatings() {   // a table of what was rated, with the values on the axes
  const field = (text) => /[",\n]|^[=+@-]/.test(text) && Number.isNaN(Number(text)) ? `"${text.replace(/^(?=[=+@-])/, "'").replaceAll('"', '""')}"` : text;
  const rated = cells.map((_, at) => at).filter((at) => readRating(at));
  return [[...axes.map((axis) => axis.title), "rating"], ...rated.map((at) => [...findPositions(at).map(([axis, value]) => axes[axis].labels[value]), String(readRating(at))])].map((row) => row.map(field).join(",")).join("\n");
}
