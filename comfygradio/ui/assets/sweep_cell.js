// One cell: a picture as soon as there is one, quiet before, plain words where something went wrong.
const nameIndex = (at) => countSteps().reduce(([found, rest], step, axis) => [[...found, [axis, Math.floor(rest / step)]], rest % step], [[], at])[0];
const address = (path) => link(sweep.root + path);
const isThere = (result) => result.u || result.t;
const WORDS = { done: "done", running: "running", failed: "failed", stopped: "stopped", waiting: "waiting" };
const nameState = (cell) => cell.p === "waiting" && sweep.phase === "stopped" ? "not made" : WORDS[cell.p];
const words = (rating) => rating < 0 ? "rejected" : rating ? plural(rating, "star") : "";

function fillCell(node, at) {
  const cell = sweep.cells[at] ?? { p: "waiting" }, rating = cell.k ?? 0, had = node.contains(document.activeElement);
  const shot = node.firstElementChild?.matches(".cg-sweep-shot") ? node.firstElementChild : press("cg-sweep-shot", "", () => openCell(at));
  if (!shot.isConnected) node.prepend(shot);
  node.dataset.phase = cell.p;
  node.toggleAttribute("data-rejected", rating < 0);
  node.toggleAttribute("data-unwanted", !isWanted(sweep.cells[at]));
  shot.tabIndex = at === (current ?? firstShown()) ? 0 : -1;
  shot.setAttribute("aria-label", [nameCombo(nameIndex(at)), nameState(cell), words(rating)].filter(Boolean).join(", "));
  shot.querySelectorAll("video").forEach(dropVideo);
  shot.replaceChildren(...drawShot(cell), ...drawMarks(rating));
  node.querySelector(".cg-sweep-retry")?.remove();
  if (cell.p === "failed") shot.after(press("cg-small cg-sweep-retry", "Retry", () => command("retry", { cell: at })));
  if (sweep.live?.[at]) showLive(node, sweep.live[at]);
  if (had) shot.focus({ preventScroll: true });
}

const firstShown = () => plan?.find(0, 0);

function drawShot(cell) {
  if (cell.p === "failed") return [make("span", { className: "cg-sweep-why", textContent: cell.e || "It failed." })];
  if (cell.p === "running") return [make("span", { className: "cg-sweep-run" }, make("span", {}))];
  const result = cell.r?.find((one) => ["image", "video"].includes(one.n) && one.u) ?? cell.r?.find(isThere);
  if (!result) return cell.p === "stopped" ? [make("span", { className: "cg-sweep-quiet", textContent: "Stopped" })] : cell.p === "done" ? [make("span", { className: "cg-sweep-why", textContent: cell.r?.find((one) => one.x)?.x ?? "Nothing was made." })] : [];
  if (result.n === "video") return [playWhenSeen(make("video", { src: `${address(result.u)}#t=0.05`, muted: true, loop: true, playsInline: true, preload: "metadata" }))];
  if (result.n === "image") return [drawPicture(chooseSource(result))];
  return [make("span", { className: "cg-sweep-quiet", textContent: result.t ? result.t.slice(0, 200) : result.n === "audio" ? "♪" : "File" })];
}

function drawPicture(source) {
  const picture = make("img", { alt: "", decoding: "async", draggable: false });
  if (isFlying) picture.dataset.src = source;
  else picture.src = source;
  return picture;
}

function chooseSource(result) {   // a thumbnail unless the cell is large
  const pixels = plan.cell * Math.min(devicePixelRatio, 2);
  return pixels <= sweep.thumbs.pixels * 1.3 && result.m ? link(sweep.thumbs.address + encodeURI(result.m)) : address(result.d || result.u);
}

function drawMarks(rating) {
  if (!rating) return [];
  return [make("span", { className: "cg-sweep-mark", textContent: rating < 0 ? "Rejected" : "★".repeat(rating) })];
}

const PLAYING = 12, inSight = new Set(), watched = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) isIntersecting ? inSight.add(target) : leaveSight(target);
  playAll();
}, { rootMargin: "-20px" });

function playAll() {   // few videos play by themselves, of many the one under the pointer
  const isCalm = inSight.size > PLAYING || matchMedia("(prefers-reduced-motion: reduce)").matches;
  for (const video of inSight) isCalm && !video.matches(":hover") ? video.pause() : video.play().catch(() => {});
}

function leaveSight(video) {
  inSight.delete(video);
  video.pause();
}

function playWhenSeen(video) {
  watched.observe(video);
  video.addEventListener("mouseenter", playAll);
  video.addEventListener("mouseleave", playAll);
  return video;
}

function dropVideo(video) {
  watched.unobserve(video);
  leaveSight(video);
  video.removeAttribute("src");
  video.load();
}

function showLive(node, live) {
  const run = node.querySelector(".cg-sweep-run");
  if (!run) return;
  run.firstElementChild.style.width = `${live.percent}%`;
  if (!live.frame) return;
  const frame = run.parentElement.querySelector("img") ?? make("img", { alt: "" });
  frame.src = live.frame;
  if (!frame.isConnected) run.before(frame);
}

async function rate(at, rating) {
  const was = sweep.cells[at];
  if (was?.p !== "done") return;
  sweep.cells[at] = { ...was, k: rating };
  updateGrid([at]);
  updateOpened([at]);
  const answer = await call("rate", { token: sweep.token, since: sweep.version, cell: at, rating });
  if (answer.error && sweep) { sweep.cells[at] = was; updateGrid([at]); updateOpened([at]); }
}

function rateByKey(key, at) {
  const now = sweep.cells[at]?.k ?? 0;
  if (/^[0-5]$/.test(key)) rate(at, Number(key));
  else if (key === "x") rate(at, now < 0 ? 0 : -1);
}
