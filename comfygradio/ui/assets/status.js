// The Status page: asks every few seconds while it is seen, and changes only what has changed.
const EVERY_MS = 3000;
const VERBS = {
  free: { label: "Free memory", asks: "", yes: "" },
  interrupt: { label: "Interrupt", asks: "Stop what runs on this server now, whoever it belongs to?", yes: "Stop it" },
  clear: { label: "Clear queue", asks: "Remove everything that waits on this server, everybody’s?", yes: "Remove all" },
  stop: { label: "Stop all waiting jobs", asks: "Stop all jobs that wait here, everybody’s?", yes: "Stop all" },
};
let token = "", isOpen = false, asking = false, timer = null, cards = new Map();

const gigabytes = (bytes) => (bytes / 2 ** 30).toFixed(1);
const set = (node, text) => { if (node.textContent !== text) node.textContent = text; };
const lines = (node, texts) => {
  if (node.dataset.texts === JSON.stringify(texts)) return;
  node.dataset.texts = JSON.stringify(texts);
  node.replaceChildren(...texts.map((text) => make("li", { textContent: text })));
  node.hidden = !texts.length;
};

const note = make("p", { className: "cg-status-note cg-note", hidden: true });
note.setAttribute("role", "alert");
const servers = make("div", { className: "cg-status-servers" });
const people = make("ul", { className: "cg-status-people" });
const nobody = say("cg-info", "Nobody’s jobs wait here.");
const all = controls(["stop"], "");
const waiting = make("section", { className: "cg-status-card" }, make("h3", { textContent: "Waiting jobs" }), say("cg-info", "Jobs that have not been handed to a server yet, by person."), nobody, people, all);
const heading = make("div", { className: "cg-heading" }, make("h2", { textContent: "Status" }), make("p", { textContent: "How the servers are. Looked at every 3 seconds." }));
body.append(heading, note, servers, waiting);

function complain(text) {
  set(note, text);
  note.hidden = !text;
}

function controls(verbs, url) {
  const row = make("div", { className: "cg-status-controls" }), answer = say("cg-status-answer", "");
  answer.setAttribute("role", "status");
  const buttons = verbs.map((verb) => {
    const button = make("button", { type: "button", className: "cg-small", textContent: VERBS[verb].label });
    button.addEventListener("click", () => VERBS[verb].asks ? ask(verb) : act(verb));
    return button;
  });
  const question = make("div", { className: "cg-status-question", hidden: true });
  question.setAttribute("role", "group");
  row.append(...buttons, question, answer);

  function ask(verb) {
    const { asks, yes } = VERBS[verb], back = buttons[verbs.indexOf(verb)];
    const sure = make("button", { type: "button", className: "cg-small cg-status-sure", textContent: yes });
    const keep = make("button", { type: "button", className: "cg-small", textContent: "Cancel" });
    const close = () => { question.hidden = true; buttons.forEach((button) => { button.hidden = false; }); back.focus(); };
    sure.addEventListener("click", () => { close(); act(verb); });
    keep.addEventListener("click", close);
    question.onkeydown = (event) => { if (event.key === "Escape") close(); };
    question.replaceChildren(say("", asks), sure, keep);
    question.setAttribute("aria-label", asks);
    buttons.forEach((button) => { button.hidden = true; });
    question.hidden = false;
    answer.textContent = "";
    keep.focus();
  }

  async function act(verb) {
    buttons.forEach((button) => { button.disabled = true; });
    set(answer, "One moment …");
    let said;
    try { said = await server.act([token, verb, url]); } catch { said = { error: "The app does not answer; please try again." }; }
    buttons.forEach((button) => { button.disabled = false; });
    set(answer, said.error ?? said.done ?? "You may not do this any more; reload this page.");
    look();
  }

  return Object.assign(row, { only: (shown) => { if (question.hidden) row.hidden = !shown; } });
}

function card(url) {
  const parts = {
    light: make("span", { className: "cg-status-light" }), word: make("span", { className: "cg-status-word" }), version: make("span", { className: "cg-info" }),
    trouble: make("p", { className: "cg-status-trouble", hidden: true }), devices: make("div", { className: "cg-status-devices" }),
    queue: make("p", { className: "cg-status-queue" }), lacks: make("ul", { className: "cg-status-lacks", hidden: true }), controls: controls(["free", "interrupt", "clear"], url),
  };
  const title = make("h3", { textContent: url }), state = make("div", { className: "cg-status-state" }, parts.light, parts.word, parts.version);
  return Object.assign(make("section", { className: "cg-status-card" }, title, state, parts.trouble, parts.devices, parts.queue, parts.lacks, parts.controls), { parts });
}

function device() {
  const name = make("span"), numbers = make("span", { className: "cg-time" }), fill = make("div", { className: "cg-fill" });
  const bar = make("div", { className: "cg-bar", ariaLabel: "Memory used" }, fill);
  bar.setAttribute("role", "meter");
  return Object.assign(make("div", {}, make("div", { className: "cg-status-device" }, name, numbers), bar), { name, numbers, fill, bar });
}

function paintDevices(place, devices) {
  while (place.children.length > devices.length) place.lastChild.remove();
  while (place.children.length < devices.length) place.append(device());
  devices.forEach(({ name, used, total }, index) => {
    const row = place.children[index], percent = Math.round(100 * used / total);
    set(row.name, name);
    set(row.numbers, gigabytes(used) + " of " + gigabytes(total) + " GB used");
    row.fill.style.transform = `translateX(${percent - 100}%)`;
    row.bar.setAttribute("aria-valuenow", percent);
  });
}

function paintServer({ parts }, one) {
  parts.light.dataset.up = one.up;
  set(parts.word, one.up ? "Answers" : "Does not answer");
  set(parts.version, one.version ? "ComfyUI " + one.version : "");
  set(parts.trouble, one.trouble);
  parts.trouble.hidden = !one.trouble;
  paintDevices(parts.devices, one.devices);
  set(parts.queue, one.remaining === null ? "" : one.remaining === 0 ? "Queue: empty" : "Queue: " + one.ours + " of ours, " + one.remaining + " in all");
  parts.queue.hidden = one.remaining === null;
  lines(parts.lacks, one.lacks);
  parts.controls.only(one.up);
}

function paint(told) {
  const urls = told.servers.map((one) => one.url);
  for (const [url, node] of cards) if (!urls.includes(url)) { node.remove(); cards.delete(url); }
  for (const one of told.servers) {
    if (!cards.has(one.url)) { cards.set(one.url, card(one.url)); servers.append(cards.get(one.url)); }
    paintServer(cards.get(one.url), one);
  }
  lines(people, told.waiting.map(({ who, count }) => who + ": " + count));
  nobody.hidden = told.waiting.length > 0;
  all.only(told.waiting.length > 0);
}

async function look() {
  clearTimeout(timer);
  if (asking || !isOpen || document.hidden || !element.isConnected) return;
  asking = true;
  try {
    const told = await server.look([token]);
    if (told.denied) complain("You may not see this any more; reload this page.");
    else { complain(told.trouble); paint(told); }
  } catch { complain("The app does not answer; it is asked again."); }
  asking = false;
  clearTimeout(timer);
  if (isOpen) timer = setTimeout(look, EVERY_MS);
}

window.addEventListener("comfygradio-status", ({ detail }) => {
  ({ token, isOpen } = detail);
  look();
});
document.addEventListener("visibilitychange", look);
