// The gallery: what the server knows, page by page, and how it changes.
const POLL_MS = 2000, TYPE_MS = 250, AGAIN_MS = 5000, SLOW = ["again", "delete"];   // these take as long as they need
const $ = (name) => element.querySelector(".cg-past-" + name);
const link = (path) => new URL(path, (window.gradio_config?.root ?? location.origin + location.pathname).replace(/\/?$/, "/")).href;
const make = (tag, attributes = {}, ...children) => {
  const node = Object.assign(document.createElement(tag), attributes);
  node.append(...children);
  return node;
};
const press = (className, text, action, title = "") => {
  const button = make("button", { type: "button", className, textContent: text, title });
  button.addEventListener("click", action);
  return button;
};
const isOver = (job) => ["done", "failed", "stopped"].includes(job.phase);
const isShown = () => document.documentElement.dataset.cgPage === "history";

let access = null, entering = null, entered = null, number = 0;
let jobs = new Map(), cards = new Map(), next = null, round = 0, isLoading = false, lastDay = "", targets = [];
const filters = new Map(), chosen = new Set(), answers = new Map();

function enter() {
  entering ??= new Promise((resolve, reject) => {
    entered = resolve;
    setTimeout(() => { entering = null; reject(new Error("no answer")); }, ANSWER_MS);
    trigger("enter", { person: readPerson() });
  });
  return entering;
}

async function call(name, asked) {
  try {
    if (!access) await enter();
    const put = () => SLOW.includes(name) ? server[name]([access, asked]) : soon(server[name]([access, asked]));
    let answer = await put();
    if (answer?.left) {
      access = entering = null;
      await enter();
      answer = await put();
    }
    if (answer.error) say(answer.error);
    return answer;
  } catch { say("The app does not answer; try again in a moment."); }
  return { error: "away" };
}

function send(event, detail) {   // an event that fills a form; its answer comes back as the value
  const mine = `${Date.now()}.${++number}`;
  const answer = new Promise((resolve) => {
    answers.set(mine, resolve);
    setTimeout(() => resolve({ error: "The app does not answer; try again in a moment." }), ANSWER_MS);
  });
  if (event === "use") trigger("use", { access, number: mine, ...detail });
  else trigger("input_picture", { access, number: mine, ...detail });
  return answer;
}

watch("value", () => {
  const value = props.value ?? {};
  if (value.access) { access = value.access; entered?.(); }
  if (value.number) { answers.get(value.number)?.(value); answers.delete(value.number); }
});

function say(text) {
  const toast = $("toast");
  ([...element.querySelectorAll("dialog[open]")].at(-1) ?? element.querySelector(".cg-past")).append(toast);
  toast.textContent = text;
  toast.hidden = false;
  clearTimeout(say.timer);
  say.timer = setTimeout(() => { toast.hidden = true; }, 6000);
}

const readQuery = () => ({
  text: $("text").value, preset: $("preset").value, favourites: $("stars").ariaPressed === "true", singles: $("singles").ariaPressed === "true",
  values: Object.fromEntries([...filters].map(([name, filter]) => [name, filter.json])),
});
const isNarrowed = () => { const asked = readQuery(); return Boolean(asked.text.trim() || asked.preset || asked.favourites || asked.singles || filters.size); };

async function load(isFirst) {
  if (!isFirst && (isLoading || next === null)) return;
  isLoading = true;
  const mine = isFirst ? ++round : round;
  const page = await call("search", isFirst ? readQuery() : { ...readQuery(), before: next });
  if (mine !== round) return;
  isLoading = false;
  if (page.error) { if (isFirst) next = null; else setTimeout(again, AGAIN_MS); return; }
  if (isFirst) begin(page);
  next = page.next;
  page.jobs.forEach(add);
  $("end").textContent = jobs.size ? "" : isNarrowed() ? "Nothing found. Try other words, or fewer filters." : "Nothing here yet. What you make appears here.";
  $("end").classList.toggle("cg-past-none", !jobs.size);
  again();
}

function begin(page) {
  targets = page.targets;
  jobs = new Map();
  cards = new Map();
  lastDay = "";
  chosen.clear();
  showChosen();
  $("grid").replaceChildren();
  const list = $("preset"), was = list.value;
  list.replaceChildren(make("option", { value: "", textContent: "All forms" }), ...page.presets.map((preset) => make("option", { value: preset.name, textContent: preset.title })));
  list.value = was;
  list.hidden = page.presets.length < 2;
  $("singles").hidden = !page.sweeps && !readQuery().singles;
}

function add(job) {
  if (jobs.has(job.token)) return;
  const day = nameDay(job.created);
  if (day !== lastDay) $("grid").append(make("h3", { className: "cg-past-day", textContent: day }));
  lastDay = day;
  jobs.set(job.token, job);
  cards.set(job.token, drawCard(job));
  $("grid").append(cards.get(job.token));
}

function update(job) {
  if (!jobs.has(job.token)) return;
  const card = drawCard(job), old = cards.get(job.token), focused = old.contains(document.activeElement) && document.activeElement.className;
  jobs.set(job.token, job);
  cards.set(job.token, card);
  old.replaceWith(card);
  if (focused) [...card.querySelectorAll("button, input")].find((node) => node.className === focused)?.focus({ preventScroll: true });
}

function remove(token) {
  const card = cards.get(token);
  if (!card) return;
  const day = card.previousElementSibling;
  card.remove();
  if (day?.matches("h3") && !day.nextElementSibling?.matches(".cg-past-card")) {
    day.remove();
    lastDay = [...$("grid").querySelectorAll("h3")].at(-1)?.textContent ?? "";
  }
  jobs.delete(token);
  cards.delete(token);
  chosen.delete(token);
  if (!jobs.size && next === null) load(true);
}

function nameDay(seconds) {
  const day = new Date(seconds * 1000), today = new Date();
  const ago = Math.round((new Date(today.toDateString()) - new Date(day.toDateString())) / 86400000);
  if (ago === 0) return "Today";
  if (ago === 1) return "Yesterday";
  const year = day.getFullYear() === today.getFullYear() ? undefined : "numeric";
  return day.toLocaleDateString("en-GB", { weekday: "long", day: "numeric", month: "long", year });
}

async function poll() {
  if (!isShown() || document.hidden) return;
  const open = [...jobs.values()].filter((job) => !isOver(job)).map((job) => job.token);
  if (!open.length || !access || poll.isBusy) return;
  poll.isBusy = true;
  try {
    const answer = await soon(server.look([access, { tokens: open }]));
    if (answer?.left) { access = entering = null; await enter(); }   // the app was started again
    for (const job of answer?.jobs ?? []) { update(job); updateOpened(job); }
  } catch { /* the app is away for a moment; the next round asks again */ }
  poll.isBusy = false;
}
setInterval(poll, POLL_MS);

const below = new IntersectionObserver((entries) => { if (entries.some((entry) => entry.isIntersecting) && isShown()) load(false); }, { rootMargin: "900px" });
const again = () => { below.unobserve($("end")); below.observe($("end")); };

function drawFilters() {
  $("filters").replaceChildren(...[...filters].map(([name, filter]) => {
    const gone = press("cg-past-filter", `${filter.label}: ${filter.text}  ×`, () => { filters.delete(name); drawFilters(); load(true); });
    gone.setAttribute("aria-label", `Stop showing only ${filter.label}: ${filter.text}`);
    return gone;
  }));
}

let typing = null;
$("text").addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(() => load(true), TYPE_MS); });
$("preset").addEventListener("change", () => load(true));
for (const name of ["stars", "singles"]) $(name).addEventListener("click", () => { $(name).ariaPressed = String($(name).ariaPressed !== "true"); load(true); });
const arrive = () => { if (isShown()) return void load(true); opening++; for (const dialog of element.querySelectorAll("dialog[open]")) dialog.close(); };
window.addEventListener("comfygradio-page", () => setTimeout(arrive));
setTimeout(arrive);
