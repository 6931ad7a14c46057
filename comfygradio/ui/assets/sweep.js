// The sweeps of a person: which part of the page is shown, and how it talks to the app.
const AWAY = "The app does not answer; try again in a moment.";
const $ = (name) => element.querySelector(".cg-sweep-" + name);
const link = (path) => new URL(path, (window.gradio_config?.root ?? location.origin + location.pathname).replace(/\/?$/, "/")).href;
const make = (tag, attributes = {}, ...children) => {
  const node = Object.assign(document.createElement(tag), attributes);
  node.append(...children.filter((child) => child !== ""));
  return node;
};
const press = (className, text, action, label = "") => {
  const button = make("button", { type: "button", className, textContent: text });
  if (label) button.setAttribute("aria-label", label);
  if (label) button.title = label;
  button.addEventListener("click", action);
  return button;
};
const say = (className, text) => make("p", { className, textContent: text });
const plural = (count, one, many = one + "s") => `${count.toLocaleString("en-GB")} ${count === 1 ? one : many}`;
const nameTime = (seconds) => new Date(seconds * 1000).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });

let access = null, entering = null, entered = null, number = 0;
const answers = new Map();

function enter() {
  entering ??= new Promise((resolve, reject) => {
    entered = resolve;
    setTimeout(() => { entering = null; reject(new Error("no answer")); }, ANSWER_MS);
    trigger("enter", { person: readPerson() });
  });
  return entering;
}

const LOOKS = ["list_all", "glance", "open", "news", "settings"];   // all else takes as long as it needs

async function ask(name, asked) {   // throws when the app is away
  const put = () => LOOKS.includes(name) ? soon(server[name]([access, asked])) : server[name]([access, asked]);
  if (!access) await enter();
  const answer = await put();
  if (!answer?.left) return answer;
  access = entering = null;
  await enter();
  return put();
}

async function call(name, asked = {}) {   // says itself what went wrong
  try {
    const answer = await ask(name, asked);
    if (answer.error) announce(answer.error);
    return answer;
  } catch { announce(AWAY); }
  return { error: AWAY };
}

function send(detail) {   // the event that fills a form; its answer comes back as the value
  const mine = `${Date.now()}.${++number}`;
  const answer = new Promise((resolve) => {
    answers.set(mine, resolve);
    setTimeout(() => resolve({ error: AWAY }), ANSWER_MS);
  });
  trigger("use", { access, number: mine, ...detail });
  return answer;
}

watch("value", () => {
  const value = props.value ?? {};
  if (value.access) { access = value.access; entered?.(); }
  if (value.number) { answers.get(value.number)?.(value); answers.delete(value.number); }
  if (value.compose && value.compose.stamp !== watch.stamp) { watch.stamp = value.compose.stamp; compose(value.compose); }
});

function announce(text) {
  const toast = $("toast"), home = document.documentElement.dataset.cgPage === "sweep" ? element.querySelector(".cg-sweeps") : document.body;
  (element.querySelector("dialog[open]") ?? home).append(toast);
  toast.textContent = text;
  toast.hidden = !text;
  clearTimeout(announce.timer);
  announce.timer = setTimeout(() => { toast.hidden = true; }, 6000);
}

function confirmFirst(title, text, word, action) {
  const go = press("cg-take cg-sweep-danger", word, async () => { go.disabled = true; await action(); $("ask").close(); });
  const stay = press("cg-small", "Cancel", () => $("ask").close());
  $("ask").replaceChildren(make("h3", { textContent: title }), say("cg-info", text), make("div", { className: "cg-sweep-actions" }, stay, go));
  $("ask").showModal();
  stay.focus();
}

const readPlace = () => document.documentElement.dataset.cgPage === "sweep" ? new URL(location.href).searchParams.get("sweep").replace(/^1?$/, "all") : null;

const go = (place, isSame = false) => window.comfygradioGo(place ? "sweep" : "", place, {}, isSame);

function arrive() {
  const place = readPlace();
  for (const dialog of element.querySelectorAll("dialog[open]")) dialog.close();
  $("all").hidden = place !== "all";
  $("new").hidden = place !== "new";
  $("one").hidden = !place || ["all", "new"].includes(place);
  leaveSweep(place);
  if (place === "all") openList();
  else if (place === "new") openEditor();
  else if (place) openSweep(place);
}
window.addEventListener("comfygradio-page", () => setTimeout(arrive));
setTimeout(arrive);
