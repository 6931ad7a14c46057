// Pictures, videos and sounds: small ones inside this page, large ones inside it or in files beside it.
const PLAYING = 12, embedded = new Map(), inSight = new Set();
const isThere = (result) => result.t !== undefined || result.u || result.f !== undefined || result.s;
const isMoving = (result) => result.n === "video";
const findMain = (cell) => cell.r?.find((one) => ["image", "video"].includes(one.n) && isThere(one)) ?? cell.r?.find(isThere);
const readThumb = (result) => result.t === undefined ? "" : document.getElementById(`t${result.t}`)?.textContent ?? "";

function readFile(result) {   // the address of the file itself, "" where this page does not have it
  if (result.u) return result.u;
  const source = result.f === undefined ? null : document.getElementById(`f${result.f}`);
  if (!source) return "";
  if (!embedded.has(result.f)) {
    const bytes = Uint8Array.from(atob(source.textContent), (letter) => letter.charCodeAt(0));
    embedded.set(result.f, URL.createObjectURL(new Blob([bytes], { type: result.m })));
  }
  return embedded.get(result.f);
}

function drawShot(cell) {
  if (cell.p === "failed") return [make("span", { className: "why" }, make("b", { textContent: "Failed" }), cell.e || "Nothing says why.")];
  const result = findMain(cell);
  if (!result) return [make("span", { className: "quiet", textContent: cell.p === "done" ? cell.r?.find((one) => one.x)?.x ?? "Nothing was made." : cell.p === "waiting" ? "" : `${WORDS[cell.p][0].toUpperCase()}${WORDS[cell.p].slice(1)}` })];
  if (isMoving(result)) return drawVideo(result);
  if (result.n === "image") return [drawPicture(result)];
  if (result.s) return [make("span", { className: "quiet text", textContent: result.s.slice(0, 400) })];
  return [make("span", { className: `quiet${result.n === "audio" ? " note" : ""}`, textContent: result.n === "audio" ? "♪" : result.b ?? "File" })];
}

function drawPicture(result) {   // small cells show what is in the page, large ones the file, if there is one
  const isLarge = layout.size * Math.min(devicePixelRatio, 2) > data.thumb * 1.5 || result.a;
  const picture = make("img", { alt: "", decoding: "async", loading: "lazy", draggable: false });
  const thumb = readThumb(result), file = isLarge || !thumb ? readFile(result) : "";
  picture.addEventListener("error", () => { if (picture.src !== thumb && thumb) picture.src = thumb; else picture.replaceWith(make("span", { className: "quiet", textContent: "This file has gone." })); });
  picture.src = file || thumb;
  return picture;
}

function drawVideo(result) {
  const video = make("video", { muted: true, loop: true, playsInline: true, preload: "none", poster: readThumb(result) });
  video.result = result;
  for (const name of ["play", "pause"]) video.addEventListener(name, () => video.parentElement?.classList.toggle("playing", !video.paused));
  video.addEventListener("mouseenter", playAll);
  video.addEventListener("mouseleave", playAll);
  watched.observe(video);
  return [video, make("span", { className: "play" })];
}

const watched = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) isIntersecting ? inSight.add(target) : leaveSight(target);
  playAll();
}, { rootMargin: "-20px" });

function playAll() {   // few videos play by themselves, of many the one under the pointer
  const isCalm = inSight.size > PLAYING || matchMedia("(prefers-reduced-motion: reduce)").matches;
  for (const video of inSight) {
    if (isCalm && !video.matches(":hover")) { video.pause(); continue; }
    if (!video.src) video.src = readFile(video.result);
    if (video.paused) video.play().catch(() => {});
  }
}

function leaveSight(video) {
  inSight.delete(video);
  video.pause();
}

function dropVideos(node) {
  for (const video of node.querySelectorAll("video")) { watched.unobserve(video); leaveSight(video); video.removeAttribute("src"); video.load(); }
}

function drawLarge(at, place) {
  const cell = cells[at] ?? EMPTY, result = cell.r?.[place];
  if (cell.p === "failed" && !result) return make("p", { textContent: cell.e || "It failed, and nothing says why." });
  if (!result) return make("p", { textContent: { waiting: "This was not made.", running: "This was being made.", stopped: "Stopped before anything was made." }[cell.p] ?? "Nothing was made." });
  if (result.s) return make("pre", { textContent: result.s });
  const file = readFile(result), thumb = readThumb(result);
  if (!file && !thumb) return make("p", { textContent: result.x ?? (result.b ? `${result.b} is not in this page.` : "Nothing was made.") });
  if (isMoving(result) && file) return make("video", { src: file, poster: thumb, controls: true, loop: true, muted: true, playsInline: true, autoplay: !matchMedia("(prefers-reduced-motion: reduce)").matches });
  if (result.n === "audio") return make("audio", { src: file, controls: true, preload: "metadata" });
  if (result.n !== "image" && result.n !== "video") return make("a", { href: file, textContent: result.b });
  const picture = make("img", { src: file || thumb, alt: nameCombo(findPositions(at)) });
  picture.addEventListener("error", () => { if (thumb && picture.src !== thumb) picture.src = thumb; });
  return file ? make("a", { href: file, target: "_blank", rel: "noopener", title: "Open in full size" }, picture) : picture;
}
