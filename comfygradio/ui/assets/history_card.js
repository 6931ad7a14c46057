// One job in the gallery.
const STATES = { waiting: "Waiting", running: "Running", failed: "Not finished", stopped: "Stopped early" };
const isStar = (job) => job.favourite;

const seen = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries)
    if (isIntersecting) { target.src = target.dataset.src; seen.unobserve(target); }
}, { rootMargin: "400px" });

function drawThumb(job) {
  const shown = job.results.find((result) => result.display && ["image", "video"].includes(result.kind));
  if (job.frame) return make("img", { src: job.frame, alt: "", className: "cg-past-frame" });
  if (shown?.kind === "image") return make("img", { src: link(shown.display), alt: "", loading: "lazy", decoding: "async" });
  if (shown) {
    const video = make("video", { muted: true, preload: "metadata", playsInline: true });
    video.dataset.src = link(shown.url) + "#t=0.1";
    seen.observe(video);
    return video;
  }
  const text = job.results.find((result) => result.text);
  if (text) return make("span", { className: "cg-past-words", textContent: text.text.slice(0, 300) });
  const audio = job.results.some((result) => result.kind === "audio");
  if (audio) return make("span", { className: "cg-past-sign", textContent: "♪" });
  if (job.error) return make("span", { className: "cg-past-words cg-past-why", textContent: job.error });
  return make("span", { className: "cg-past-words cg-past-why", textContent: isOver(job) ? (job.phase === "stopped" ? "Stopped before anything was made." : "Nothing was made.") : job.line });
}

function drawBadges(job) {
  const badges = [];
  if (STATES[job.phase]) badges.push(make("span", { className: `cg-past-badge cg-past-${job.phase}`, textContent: job.phase === "running" ? job.percent ? `${Math.floor(job.percent)} %` : "Starting" : STATES[job.phase] }));
  if (job.results.some((result) => result.partial)) badges.push(make("span", { className: "cg-past-badge", textContent: "Partial", title: "The job did not come to its end; there might have been more." }));
  if (job.results.some((result) => result.again)) badges.push(make("span", { className: "cg-past-badge cg-past-failed", textContent: "Not fetched" }));
  if (job.results.length > 1) badges.push(make("span", { className: "cg-past-badge", textContent: `${job.results.length} results` }));
  return make("span", { className: "cg-past-badges" }, ...badges);
}

function drawCard(job) {
  const name = job.text || job.title;
  const open = press("cg-past-thumb", "", (event) => {
    if ($("select").ariaPressed === "true" || event.shiftKey) choose(job.token, !chosen.has(job.token));
    else openJob(job.token);
  });
  open.setAttribute("aria-label", `Open ${name}`);
  open.append(drawThumb(job), drawBadges(job));
  if (!isOver(job)) open.append(make("span", { className: "cg-past-progress" }, make("span", { style: `width: ${job.percent}%` })));
  const tick = make("input", { type: "checkbox", className: "cg-tick cg-past-tick", checked: chosen.has(job.token) });
  tick.setAttribute("aria-label", `Select ${name}`);
  tick.addEventListener("change", () => choose(job.token, tick.checked));
  const star = press("cg-past-star", isStar(job) ? "★" : "☆", () => favourite(job.token));
  star.setAttribute("aria-label", `Favourite ${name}`);
  star.setAttribute("aria-pressed", String(isStar(job)));
  const time = new Date(job.created * 1000).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  const caption = make("p", { className: "cg-past-caption" }, make("span", { className: "cg-past-say", textContent: name, title: name }), make("span", { className: "cg-past-when", textContent: job.text ? `${job.title} · ${time}` : time }));
  const card = make("article", { className: "cg-past-card" }, open, tick, star, caption);
  card.dataset.phase = job.phase;
  card.classList.toggle("cg-past-is-chosen", chosen.has(job.token));
  return card;
}

async function favourite(token) {
  const job = jobs.get(token), answer = await call("favourite", { token, on: !isStar(job) });
  if (answer.error) return;
  const now = { ...jobs.get(token), favourite: answer.favourite };
  update(now);
  updateOpened(now);
}
