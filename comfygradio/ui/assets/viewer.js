const TAB = "comfygradio.job", ALL = "comfygradio.jobs", STREAMS = 3, PEEK_MS = 1000, PATIENCE_MS = 15000;
const $ = (name) => element.querySelector(".cg-" + name);
const me = Math.random().toString(36).slice(2);
let job = null;          // {token, over, isOpen, preset} of the job this tab shows
let seen = { version: -1, frames: 0 }, started = 0, streaming = false, following = false, peeking = false, later = new Set(), asking = null;

const stored = (store, key, fallback) => { try { return JSON.parse(store.getItem(key)) ?? fallback; } catch { return fallback; } };
const keep = (store, key, value) => { try { store.setItem(key, JSON.stringify(value)); } catch { /* storage is off: no re-attach */ } };
const show = (name, on) => { $(name).hidden = !on; };
const link = (path) => new URL(path, (window.gradio_config?.root ?? location.origin + location.pathname).replace(/\/?$/, "/")).href;
const clock = (seconds) => seconds < 9.95 ? seconds.toFixed(1) + " s" : (seconds = Math.round(seconds)) < 60 ? seconds + " s" : Math.floor(seconds / 60) + " min " + seconds % 60 + " s";

const channel = "BroadcastChannel" in window ? new BroadcastChannel("comfygradio") : null;
if (channel) channel.onmessage = ({ data }) => {
  if (!streaming || data.me === me) return;
  later.add(data.me);
  if (later.size >= STREAMS) streaming = false;   // browsers hold six connections to a server, for all tabs together
};

function begin(token) {
  if (job?.token === token) return;
  asking?.abort();
  job = { token, over: false };
  seen = { version: -1, frames: 0 };
  started = Date.now();
  keep(sessionStorage, TAB, token);
  keep(localStorage, ALL, [...stored(localStorage, ALL, []).filter((t) => t !== token), token].slice(-20));
  clearFrame();
  show("nothing", false);
  $("results").replaceChildren();
  reveal();
}

const reveal = () => { if (innerWidth < 768) element.scrollIntoView({ behavior: "smooth", block: "start" }); };

function stream() {
  if (!job || job.over || streaming || document.hidden) return;
  streaming = true;
  later = new Set();
  channel?.postMessage({ me });
}

async function ask(hold, frames) {
  const asked = new URLSearchParams({ version: seen.version, ...(frames && { frames: seen.frames }), ...(hold && { hold: 1 }) });
  const { token } = job, mine = asking = new AbortController(), timer = setTimeout(() => mine.abort(), PATIENCE_MS);
  try {
    const answer = await fetch(link(`gradio_api/comfygradio/job/${token}?${asked}`), { cache: "no-store", signal: mine.signal });
    if (!answer.ok) throw new Error(answer.status);
    const message = await answer.json();
    return token === job?.token ? message : null;
  } finally { clearTimeout(timer); }
}

async function follow() {   // one question after the other, each answered as soon as there is news
  if (following) return;
  following = true;
  while (job && !job.over && streaming) {
    const { token } = job;
    try { await receive(await ask(true, true)); }
    catch { if (token === job?.token) await new Promise((done) => setTimeout(done, PEEK_MS)); }   // the app is away for a moment
  }
  following = false;
}

async function receive(message) {
  if (!message?.token || (message.gone && message.token !== job?.token)) return;
  if (message.gone) return forget();
  begin(message.token);
  seen = { version: message.version, frames: message.frames };
  paint(message);
  if (message.image) await paintFrame(message.image);
  if (over(message)) return finish(message);
  job.isOpen = true;
}

const over = (message) => ["done", "failed", "stopped"].includes(message.phase);

function finish(message) {
  job.over = true;
  streaming = false;
  keep(localStorage, ALL, stored(localStorage, ALL, []).filter((t) => t !== message.token));
  if (message.refused && job.isOpen) trigger("refused", { token: message.token });
}

function forget() {
  keep(localStorage, ALL, stored(localStorage, ALL, []).filter((t) => t !== job?.token));
  try { sessionStorage.removeItem(TAB); } catch { /* storage is off */ }
  job = null; streaming = false;
  element.querySelector(".cg-view").dataset.phase = "idle";
  show("progress", false); clearFrame(); busy(false);
  document.title = baseTitle;
}

async function paintFrame(uri) {
  const old = $("frame"), frame = make("img", { className: "cg-frame", alt: old.alt, src: uri });
  try { await frame.decode(); } catch { return; }
  if (job?.over) return;
  const isFirst = old.hidden;
  old.replaceWith(frame);   // decoded already, so it is painted with the next frame of the screen
  if (isFirst) reveal();
}

function clearFrame() {
  $("frame").hidden = true;
  $("frame").removeAttribute("src");
}

const baseTitle = document.title;
function busy(on) {
  document.querySelectorAll(".cg-generate").forEach((button) => { button.disabled = on; button.toggleAttribute("inert", on); });
}

function paint(message) {
  const view = element.querySelector(".cg-view"), done = over(message);
  view.dataset.phase = message.phase;
  view.dataset.token = message.token;
  job.preset = message.preset;
  show("progress", !done);
  busy(!done);
  $("fill").style.transform = `translateX(${message.percent - 100}%)`;
  $("bar").setAttribute("aria-valuenow", message.percent);
  $("line").textContent = message.line;
  $("time").textContent = [message.percent > 0 && Math.floor(message.percent) + " %", message.left].filter(Boolean).join(" · ");
  $("error").textContent = message.error;
  show("error", !!message.error);
  $("warnings").replaceChildren(...message.warnings.map((text) => make("li", { textContent: text })));
  show("warnings", message.warnings.length > 0);
  document.title = done ? (message.phase === "done" ? "✓ " : "") + baseTitle : Math.floor(message.percent) + " % · " + baseTitle;
  if (done) paintEnd(message);
  else { show("caption", false); $("stop").disabled = !!job.stopping; }
}

function paintEnd(message) {
  const words = { done: "in " + clock(message.seconds), stopped: "stopped", failed: "failed" };
  $("summary").textContent = [message.title, words[message.phase], message.seed && "seed " + message.seed].filter(Boolean).join(" · ");
  $("reuse").hidden = !message.seed;
  $("reuse").onclick = () => fillSeed(message.preset, message.seed);
  window.comfygradioSeed = message.seed;
  show("caption", true);
  const there = message.results.filter((result) => result.url || result.kind === "text");   // not what could not be fetched
  if (there.length) {
    $("results").replaceChildren(...there.map(card));
    $("results").dataset.count = there.length;
    settle();
  } else if (message.phase !== "stopped") clearFrame();
  else show("nothing", $("frame").hidden);
}

async function settle() {   // the last preview stays until the picture itself can be shown
  await Promise.allSettled([...$("results").querySelectorAll("img")].map((image) => image.decode()));
  if (job?.over) clearFrame();
}

function make(tag, props, ...children) {
  const node = Object.assign(document.createElement(tag), props);
  node.append(...children);
  return node;
}

function card(result) {
  if (result.kind === "text") return make("pre", { className: "cg-text", textContent: result.text });
  const url = link(result.url), shown = link(result.display);
  const save = make("a", { className: "cg-save", href: url, download: result.name, textContent: "Download", title: "Download " + result.name });
  const size = [result.partial && "unfinished", result.width && result.width + " × " + result.height].filter(Boolean).join(" · ");
  const foot = make("figcaption", {}, make("span", { textContent: size }), save);
  return make("figure", { className: "cg-card" }, media(result, url, shown), foot);
}

function media(result, url, shown) {
  if (result.kind === "video") return make("video", { src: url, controls: true, loop: true, muted: true, playsInline: true });
  if (result.kind === "audio") return make("audio", { src: url, controls: true });
  if (result.kind !== "image") return make("a", { href: url, textContent: result.name, className: "cg-file" });
  const image = make("img", { src: shown, alt: "Result", width: result.width, height: result.height });
  return make("a", { href: url, target: "_blank", rel: "noopener", title: "Open in full size" }, image);
}

function fillSeed(preset, seed) {
  const fields = [...document.querySelectorAll(".cg-panel .cg-seed :is(textarea, input)")];
  const field = fields.find((one) => one.closest("#cg-panel-" + preset)) ?? fields.find((one) => one.checkVisibility());
  if (!field || !seed) return;
  Object.getOwnPropertyDescriptor(Object.getPrototypeOf(field), "value").set.call(field, seed);
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

async function peek() {
  if (!job || job.over || streaming || peeking) return;
  peeking = true;
  try { await receive(await ask(false, !document.hidden)); }
  catch { /* the app is away for a moment; the next round asks again */ }
  peeking = false;
}

$("stop").addEventListener("click", () => {
  if (!job) return;
  job.stopping = true;
  $("stop").disabled = true;
  $("line").textContent = "Stopping";
  server.stop([job.token]).catch(() => { job.stopping = false; $("stop").disabled = false; });
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden) streaming = false;
  else if (job && !job.over) start();
});
watch("value", () => receive(props.value).then(start));
setInterval(peek, PEEK_MS);

function start() {
  stream();
  follow();
}

const token = stored(sessionStorage, TAB, null) ?? stored(localStorage, ALL, []).at(-1);
if (token || !document.hidden) setTimeout(() => trigger("attach", { token: token ?? "" }), 0);   // another device of this person may have one running
if (token) job = { token, over: false };
