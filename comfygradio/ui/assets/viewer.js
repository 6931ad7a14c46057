// Watches the jobs of this tab. Their messages come by the generator of the Generate button (or of `attach`, for a tab that
// comes back), each once the one before is painted. A tab asks instead, by one rule: it is hidden, or too many tabs of
// this browser have a stream, or the app says that it has too many, or the stream has gone silent.
const TABS = 3;            // a browser has six connections to a server, for all of its tabs
const PEEK_MS = 1000;      // between two questions of a tab that has no stream
const PATIENCE_MS = 15000; // for one answer
const SILENT_MS = 12000;   // a stream says something every 5 seconds
const FULL_MS = 15000;     // until a tab that the app had no stream for wishes for one again

const me = Math.random().toString(36).slice(2);
let jobs = [];             // chips, as the app told them last
let shown = "";            // the token of the job that is shown
let isChosen = false;      // whether the person chose it
const stopping = new Set();            // tokens
const ended = new Set(readBatch());    // jobs from before this page was loaded, and those whose end was told
let seen = { version: -1, frames: 0, ended: 0 };
let told = null;           // the last message about the job that is shown
let stream = "";           // the secret of the stream that this tab has
const heard = new Map();   // of every stream the number of its last message: Gradio sends the last one twice
const closed = new Set();  // streams that this tab let go of
let mode = "ask";          // "stream" or "ask" (once a second)
let heardAt = 0, fullAt = -Infinity, isPeeking = false, asking = null, later = new Set();

const isBusy = () => jobs.some((one) => !isOver(one));
const isCrowded = () => later.size >= TABS;
const mayStream = () => !document.hidden && !isCrowded() && Date.now() - fullAt > FULL_MS;

function openChannel() {   // Firefox has none where storage is off
  try { return new BroadcastChannel("comfygradio"); } catch { return null; }
}
const channel = openChannel();
if (channel) channel.onmessage = ({ data }) => {
  if (mode === "ask" || data.me === me) return;
  later.add(data.me);
  if (isCrowded()) letGo();
};

function letGo() {   // from now on this tab asks once a second
  if (stream) {
    closed.add(stream);
    tell(stream, { close: 1 });
  }
  stream = "";
  mode = "ask";
}

function tell(id, said, tries = 3) {   // says something to a stream
  const asked = new URLSearchParams(said);
  fetch(link(`gradio_api/comfygradio/stream/${id}?${asked}`), { method: "POST", keepalive: true })
    .catch(() => { if (tries > 1) setTimeout(tell, PEEK_MS, id, said, tries - 1); });
}

// Before the app has told of them, those that are remembered: whatever is asked first asks for all.
const listTokens = () => (jobs.length ? jobs.map((one) => one.token) : readBatch());

function attach() {
  heardAt = Date.now();
  trigger("attach", { token: shown, tokens: listTokens() });
}

async function ask(token, frames) {
  const tokens = listTokens().join(",");
  const known = token === shown ? seen : { version: -1, frames: 0, ended: 0 };
  const asked = new URLSearchParams({ tokens, version: known.version, ended: known.ended });
  if (frames) asked.set("frames", known.frames);
  const mine = asking = new AbortController(), timer = setTimeout(() => mine.abort(), PATIENCE_MS);
  try {
    const answer = await fetch(link(`gradio_api/comfygradio/job/${token}?${asked}`), { cache: "no-store", signal: mine.signal });
    if (!answer.ok) throw new Error(answer.status);
    return await answer.json();
  } finally { clearTimeout(timer); }
}

async function peek() {
  if (mode === "stream" && isBusy() && Date.now() - heardAt > SILENT_MS) letGo();
  if (mode !== "ask" || !shown || !(isBusy() || !jobs.length) || isPeeking) return;
  isPeeking = true;
  try {
    await receive(await ask(shown, !document.hidden));
    if (mode === "ask" && isBusy() && mayStream()) attach();   // the stream went silent, and the app is there
  } catch { /* the app is away for a moment; the next round asks again */ }
  isPeeking = false;
}

async function receive(message) {
  if (!message?.token) return;
  if (message.gone) {
    if (message.token === shown) forget();
    return;
  }
  if (message.stream) {
    if (heard.get(message.stream) >= message.number) return;
    heard.set(message.stream, message.number);
    if (!closed.has(message.stream)) join(message.stream);
  }
  heardAt = Date.now();
  const wasBusy = isBusy();
  jobs = message.jobs;
  if (message.token !== shown) begin(message.token);
  seen = { version: message.version, frames: message.frames, ended: message.ended };
  told = message;
  remember(shown, jobs);
  paint(message, stopping.has(shown));
  paintChips(jobs, shown, choose, stop);
  paintTitle(message);
  announce(message);
  if (message.image) await paintFrame(message.image, message.token);
  settleEnd(message, wasBusy);
  if (stream && message.stream === stream) tell(stream, { painted: message.number });
  if (message.ask) fullAt = Date.now();
}

function join(id) {
  if (stream !== id) {
    later = new Set();
    channel?.postMessage({ me });
  }
  stream = id;
  mode = "stream";
  if (document.hidden) letGo();
}

function begin(token) {   // another job is shown from now on
  const wasNothing = !shown;
  shown = token;
  if (!jobs.some((one) => one.token === token && !isOver(one)) || wasNothing) clearStage();
  else clearFrame();
}

function settleEnd(message, wasBusy) {
  if (!isOver(message)) {
    ended.delete(message.token);
    return;
  }
  if (message.refused && !ended.has(message.token)) trigger("refused", { token: message.token });
  ended.add(message.token);
  const next = jobs.find((one) => !isOver(one));
  if (!next) {
    stream = "";
    mode = "ask";
  }
  if (!isChosen && (next || wasBusy)) look((next ?? jobs.at(-1)).token);
  if (!next) isChosen = false;
}

function choose(token) {
  isChosen = token !== jobs.find((one) => !isOver(one))?.token;
  look(token);
}

function look(token) {   // shows another job of this tab
  if (token === shown) return;
  if (stream) {
    tell(stream, { show: token });
    return;
  }
  asking?.abort();
  ask(token, true).then(receive).catch(() => {});
}

function stop(token) {
  stopping.add(token);
  if (token === shown) {
    $("stop").setAttribute("aria-disabled", true);
    $("line").textContent = "Stopping";
  }
  server.stop([token]).catch(() => {
    stopping.delete(token);
    if (token === shown) $("stop").setAttribute("aria-disabled", false);
  });
}

function forget() {
  forgetToken(shown);
  jobs = [];
  shown = "";
  letGo();
  paintNothing();
  paintChips([], "", choose, stop);
  document.title = baseTitle;
}

function paintTitle(message) {
  const running = jobs.find((one) => one.phase === "running");
  if (!isBusy()) document.title = (message.phase === "done" ? "✓ " : "") + baseTitle;
  else document.title = (running?.percent ?? 0) + " % · " + baseTitle;
}

// The second click of a double click does not ask a second time.
document.addEventListener("click", (event) => {
  if (event.detail !== 2 || !event.target.closest?.(".cg-generate")) return;
  event.stopPropagation();
  event.preventDefault();
}, true);
$("stop").addEventListener("click", () => { if (shown && !stopping.has(shown)) stop(shown); });
document.addEventListener("visibilitychange", () => {
  if (document.hidden) letGo();
  else if (shown && isBusy()) attach();
});
watch("value", () => receive(props.value));
setInterval(peek, PEEK_MS);

shown = storage.read("tab", TAB, "") || readTokens("all", ALL).at(-1) || "";
if (typeof shown !== "string") shown = "";
if (shown || !document.hidden) setTimeout(attach, 0);   // another device of this person may have one running
