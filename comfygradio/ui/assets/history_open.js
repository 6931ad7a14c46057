// One job at a time, large, with its values and what can be done with it.
let opened = null, place = 0, opening = 0;   // the job that is open, which of its results, and the newest wish

async function openJob(token, index = 0) {
  const mine = ++opening, job = await call("open", { token });
  if (mine !== opening || !isShown()) return;
  if (job.error && !job.token) return;
  opened = job;
  place = Math.min(index, Math.max(job.results.length - 1, 0));
  drawOpened();
  if (!$("open").open) $("open").showModal();
  $("open").querySelector(".cg-past-close").focus({ preventScroll: true });
}

function updateOpened(job) {
  if (opened?.token !== job.token || !$("open").open) return;
  const wasOver = isOver(opened);
  opened = { ...opened, ...job };
  if (!wasOver && isOver(job)) return void openJob(job.token, place);
  drawOpened();
}

function step(by) {
  const tokens = [...jobs.keys()], at = tokens.indexOf(opened?.token) + by;
  if (at >= 0 && at < tokens.length) openJob(tokens[at]);
  if (at > tokens.length - 5) load(false);
}

function drawMedia(job, result) {
  if (job.frame) return make("img", { src: job.frame, alt: "Newest preview" });
  if (!result) return make("p", { className: "cg-past-why", textContent: isOver(job) ? "There is no picture." : job.line });
  if (result.problem) return make("p", { className: "cg-past-why", textContent: result.problem });
  if (result.kind === "text") return make("pre", { className: "cg-text", textContent: result.text });
  if (result.kind === "video") return make("video", { src: link(result.url), controls: true, loop: true, muted: true, playsInline: true });
  if (result.kind === "audio") return make("audio", { src: link(result.url), controls: true });
  if (result.kind !== "image") return make("a", { href: link(result.url), textContent: result.name, className: "cg-file" });
  const image = make("img", { src: link(result.display), alt: job.text || "Result", width: result.width, height: result.height });
  return make("a", { href: link(result.url), target: "_blank", rel: "noopener", title: "Open in full size" }, image);
}

function drawStrip(job) {
  if (job.results.length < 2) return "";
  return make("div", { className: "cg-past-strip" }, ...job.results.map((result, index) => {
    const button = press("cg-past-pick", "", () => { place = index; drawOpened(); });
    button.setAttribute("aria-label", `Result ${index + 1}`);
    button.setAttribute("aria-pressed", String(index === place));
    button.append(result.kind === "image" && result.display ? make("img", { src: link(result.display), alt: "" }) : String(index + 1));
    return button;
  }));
}

function drawValues(job) {
  return make("dl", { className: "cg-past-values" }, ...job.values.flatMap((value) => {
    const text = value.text === "" ? "empty" : value.text;
    const only = () => { filters.set(value.name, { json: value.filter, text, label: value.label }); drawFilters(); $("open").close(); load(true); };
    const shown = value.filter && text.length <= 80 ? press("cg-past-only", text, only, "Show only what was made with this") : make("span", { textContent: text });
    return [make("dt", { textContent: value.label }), make("dd", {}, shown)];
  }));
}

function drawTargets(job, result) {
  if (result?.kind !== "image" || !result.url || !targets.length) return "";
  const index = job.results.slice(0, place).filter((one) => one.kind === "image" && one.url).length;
  const put = (target) => fillForm("input_picture", { token: job.token, index, preset: target.preset, field: target.field });
  if (targets.length === 1) return press("cg-small", `Use as input: ${targets[0].label}`, () => put(targets[0]));
  const list = make("select", { className: "cg-box cg-past-targets" }, make("option", { value: "", textContent: "Use as input of …" }), ...targets.map((target, at) => make("option", { value: String(at), textContent: target.label })));
  list.setAttribute("aria-label", "Use this picture as the input of a form");
  list.addEventListener("change", () => { if (list.value) put(targets[Number(list.value)]); });
  return list;
}

function drawActions(job, result) {
  const token = job.token, buttons = [];
  if (job.canUse) buttons.push(press("cg-take", "Use these settings", () => fillForm("use", { token })));
  buttons.push(drawTargets(job, result));
  if (result?.url) buttons.push(make("a", { className: "cg-small", href: link(result.url), download: result.name, textContent: "Download" }));
  if (job.results.some((one) => one.again)) buttons.push(press("cg-small", "Fetch again", (event) => fetchAgain(event.target, token), "Ask ComfyUI for the file once more"));
  const star = press("cg-small", isStar(job) ? "★ Favourite" : "☆ Favourite", () => favourite(token));
  star.setAttribute("aria-pressed", String(isStar(job)));
  buttons.push(star);
  buttons.push(press("cg-small", "Open in ComfyUI", () => saveWorkflow(token), "Downloads the workflow (API format); drop the file onto ComfyUI's canvas"));
  if (isOver(job)) buttons.push(press("cg-small cg-past-danger", "Delete", () => ask([token])));
  else buttons.push(press("cg-small", "Stop", async (event) => { event.target.disabled = true; const now = await call("stop", { token }); if (now.token) { update(now); updateOpened(now); } }));
  return make("div", { className: "cg-past-actions" }, ...buttons.filter(Boolean));
}

function drawOpened() {
  const job = opened, result = job.results[place], focused = document.activeElement?.closest(".cg-past-open") && document.activeElement.textContent;
  const when = new Date(job.created * 1000).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });
  const size = result?.width ? `${result.width} × ${result.height}` : "";
  const facts = [when, size, job.phase === "done" && job.seconds ? `${job.seconds} s` : ""].filter(Boolean).join(" · ");
  const tokens = [...jobs.keys()], at = tokens.indexOf(job.token);
  const turn = (by, sign, label) => {
    const button = press(`cg-past-turn cg-past-turn-${by < 0 ? "back" : "on"}`, sign, () => step(by));
    button.setAttribute("aria-label", label);
    button.disabled = at < 0 || !tokens[at + by];
    return button;
  };
  const close = press("cg-past-close", "×", () => $("open").close());
  close.setAttribute("aria-label", "Close");
  const stage = make("div", { className: "cg-past-stage" }, drawMedia(job, result), turn(-1, "‹", "Newer"), turn(1, "›", "Older"));
  const side = make("div", { className: "cg-past-side" }, make("h3", { textContent: job.title }), make("p", { className: "cg-info", textContent: facts }), drawBadges(job));
  if (job.error) side.append(make("p", { className: "cg-error", textContent: job.error }));
  side.append(drawActions(job, result), drawValues(job));
  $("open").replaceChildren(make("div", { className: "cg-past-sheet" }, make("div", { className: "cg-past-left" }, stage, drawStrip(job)), side, close));
  if (focused) [...$("open").querySelectorAll("button")].find((button) => button.textContent === focused)?.focus({ preventScroll: true });
}

async function fillForm(event, detail) {
  const ready = await call("look", { tokens: [] });
  if (ready.error) return;
  const answer = await send(event, detail);
  if (answer.error) return say(answer.error);
  window.comfygradioGo("", "", { preset: answer.used });
  window.comfygradioForms.enter(answer.used);
  announce(answer.notes.length ? answer.notes.join(" ") : event === "use" ? "The settings are in the form." : "The picture is in the form.");
}

function announce(text) {   // said on the page of forms, where this element is not shown
  const toast = make("div", { className: "cg-past-toast", textContent: text });
  toast.setAttribute("role", "status");
  document.querySelectorAll("body > .cg-past-toast").forEach((old) => old.remove());
  document.body.append(toast);
  setTimeout(() => toast.remove(), 5000);
}

async function fetchAgain(button, token) {
  button.disabled = true;
  button.textContent = "Fetching …";
  const job = await call("again", { token });
  if (job.token) { update(job); opened = job; drawOpened(); say(job.refused || "Everything is here now."); }
  else { button.disabled = false; button.textContent = "Fetch again"; }
}

async function saveWorkflow(token) {
  const answer = await call("workflow", { token });
  if (answer.text) save(answer.name, URL.createObjectURL(new Blob([answer.text], { type: "application/json" })));
}

function save(name, href) {
  const anchor = make("a", { href, download: name });
  element.append(anchor);
  anchor.click();
  anchor.remove();
  setTimeout(() => URL.revokeObjectURL(href), 10000);
}

$("open").addEventListener("keydown", (event) => {
  if (event.target.matches("select, input, video, audio")) return;
  if (event.key === "ArrowLeft") step(-1);
  if (event.key === "ArrowRight") step(1);
});
for (const name of ["open", "compare", "ask"])
  $(name).addEventListener("click", (event) => { if (event.target === $(name)) $(name).close(); });
$("open").addEventListener("close", () => { opening++; cards.get(opened?.token)?.querySelector(".cg-past-thumb").focus({ preventScroll: true }); opened = null; $("open").replaceChildren(); });
