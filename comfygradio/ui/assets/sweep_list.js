// All sweeps of a person, newest first.
const RENEW_MS = 3000;
let renewing = null;

async function openList() {
  clearTimeout(renewing);
  const heading = make("div", { className: "cg-heading" }, make("h2", { textContent: "Sweeps" }), say("", "One form with several values, the results side by side."));
  if (!$("all").firstChild) $("all").replaceChildren(heading, say("cg-info", "One moment …"));
  const answer = await call("list_all");
  if (!answer.sweeps || $("all").hidden) return;
  const none = say("cg-sweep-none", "Nothing here yet. “Try several values” below a form begins a sweep.");
  $("all").replaceChildren(heading, answer.sweeps.length ? make("ul", { className: "cg-sweep-cards" }, ...answer.sweeps.map(drawCard)) : none);
  $("all").dataset.tokens = nameAll(answer.sweeps);
  if (answer.sweeps.some((one) => one.phase === "running")) renewing = setTimeout(renewList, RENEW_MS);
}

const nameAll = (sweeps) => sweeps.map((one) => one.token).join(" ");

async function renewList() {   // while something runs; the cards stay, so that focus and pictures do
  if (readPlace() !== "all") return;
  clearTimeout(renewing);
  const answer = document.hidden ? {} : await ask("list_all", {}).catch(() => ({}));
  if (readPlace() !== "all") return;
  if (answer.sweeps && nameAll(answer.sweeps) !== $("all").dataset.tokens) return void openList();
  for (const one of answer.sweeps ?? []) $("all").querySelector(`a[href="?sweep=${one.token}"]`)?.renew(one);
  if (!answer.sweeps || answer.sweeps.some((one) => one.phase === "running")) renewing = setTimeout(renewList, RENEW_MS);
}

function drawCard(one) {
  const open = make("a", { className: "cg-sweep-card", href: `?sweep=${one.token}` }), thumbs = make("span", { className: "cg-sweep-thumbs" }), title = make("b", { textContent: one.title }), line = make("span", { className: "cg-info", textContent: one.line });
  open.addEventListener("click", (event) => { if (!(event.ctrlKey || event.metaKey || event.shiftKey)) { event.preventDefault(); go(one.token); } });
  open.append(thumbs, make("span", { className: "cg-sweep-about" }, title, make("span", { className: "cg-info", textContent: `${one.form} · ${nameTime(one.created)}` }), line));
  const gone = press("cg-small cg-remove", "×", () => askToDelete(one, openList), `Delete ${one.title}`);
  gone.disabled = one.phase === "running";
  let isSeen = false, phase = one.phase;
  open.renew = (now) => { if (isSeen && (now.phase === "running" || now.phase !== phase)) open.glance(); };
  open.glance = async () => {
    isSeen = true;
    const told = await ask("glance", { token: one.token }).catch(() => ({}));
    if (!told.token) return;
    title.textContent = told.title;
    line.textContent = told.line;
    gone.disabled = told.phase === "running";
    phase = told.phase;
    if (thumbs.dataset.shown === told.thumbs.join(" ")) return;
    thumbs.dataset.shown = told.thumbs.join(" ");
    thumbs.dataset.count = told.thumbs.length;
    thumbs.replaceChildren(...told.thumbs.map((address) => make("img", { src: link(address), alt: "", decoding: "async" })));
  };
  glanced.observe(open);
  return make("li", { className: "cg-sweep-item" }, open, gone);
}

const glanced = new IntersectionObserver((entries) => {   // what is in sight is read back from the ledger, not all of it
  for (const { isIntersecting, target } of entries) if (isIntersecting) { glanced.unobserve(target); target.glance(); }
}, { rootMargin: "200px" });
