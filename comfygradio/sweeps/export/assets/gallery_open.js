// One result, large: the same place in the grid with the arrow keys, its values, and what can be copied.
const dialog = make("dialog");
let opened = null, shown = 0;   // the cell that is open, and which of its results

function openCell(at) {
  opened = at;
  shown = Math.max(0, (cells[at]?.r ?? []).indexOf(findMain(cells[at] ?? EMPTY)));
  drawOpened();
  if (!dialog.open) dialog.showModal();
  dialog.querySelector(".close").focus({ preventScroll: true });
}

function drawPlaces() {   // the value on each axis; choosing another one goes there
  return make("div", { className: "where" }, ...findPositions(opened).map(([axis, at]) => {
    const pick = choose(axes[axis].title, axes[axis].labels.map((label, value) => [value, label]), at, (value) => {
      openCell(opened + (Number(value) - at) * strides[axis]);
      dialog.querySelectorAll(".where select")[axis].focus();
    });
    return make("label", {}, axes[axis].title, pick);
  }));
}

function drawStars(at) {
  const now = readRating(at), can = cells[at]?.p === "done";
  const stars = [1, 2, 3, 4, 5].map((count) => {
    const star = press("star", count <= now ? "★" : "☆", () => rate(at, count === now ? 0 : count), plural(count, "star"));
    star.setAttribute("aria-pressed", String(count <= now));
    star.disabled = !can;
    return star;
  });
  const reject = press("reject", now < 0 ? "Rejected" : "Reject", () => rate(at, now < 0 ? 0 : -1));
  reject.setAttribute("aria-pressed", String(now < 0));
  reject.disabled = !can;
  const group = make("div", { className: "rating" }, ...stars, reject);
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", "Rating");
  return group;
}

function drawActions(at, result) {
  const file = result ? readFile(result) : "", actions = [];
  if (file) actions.push(make("a", { href: file, download: result.b ?? "", textContent: "Download" }));
  if (listValues(at).length) actions.push(press("", "Copy as JSON", () => copy(writeJson(at), "The values were")), press("", "Copy as command", () => copy(writeCommand(at), "The command was")));
  return make("div", { className: "actions" }, ...actions);
}

function drawOpened() {
  const at = opened, cell = cells[at] ?? EMPTY, results = cell.r ?? [], result = results[shown];
  const active = document.activeElement, focused = dialog.contains(active) && active.tagName === "BUTTON" ? active.getAttribute("aria-label") ?? active.textContent : "";
  const turn = (name, sign, label, down, right) => {
    const button = press(`turn turn-${name}`, sign, () => step(down, right), label);
    button.disabled = move(at, down, right) === undefined;
    return button;
  };
  dialog.querySelectorAll("video").forEach((video) => video.pause());
  const stage = make("div", { className: "stage" }, drawLarge(at, shown), turn("left", "‹", "Left", 0, -1), turn("right", "›", "Right", 0, 1), turn("up", "‹", "Up", -1, 0), turn("down", "›", "Down", 1, 0));
  const isSmall = result && ["image", "video"].includes(result.n) && !readFile(result) && readThumb(result);
  const facts = [cell.p === "done" ? "" : WORDS[cell.p], result?.w ? `${result.w} × ${result.h}` : "", cell.s ? `${cell.s} s` : "", cell.w ?? ""].filter(Boolean).join(" · ");
  const others = results.length > 1 ? [choose("Result", results.map((_, number) => [number, `Result ${number + 1} of ${results.length}`]), shown, (value) => { shown = Number(value); drawOpened(); })] : [];
  const values = listValues(at).filter(([field]) => !field.name.startsWith("_"));
  const list = make("dl", { className: "values" }, ...values.flatMap(([field, json]) => [make("dt", { textContent: field.label }), make("dd", { textContent: showValue(json) || "empty" })]));
  const side = make("div", { className: "facts" }, make("h2", { textContent: data.title }), facts ? make("p", { className: "dim", textContent: facts }) : "", ...(isSmall ? [make("p", { className: "dim", textContent: "Only a small picture is in this page; the whole one lies where the sweep was made." })] : []),
    ...(cell.e && result ? [make("p", { textContent: cell.e })] : []), ...others, drawPlaces(), drawStars(at), drawActions(at, result), list);
  dialog.replaceChildren(make("div", { className: "sheet" }, stage, side, press("close", "×", () => dialog.close(), "Close")));
  dialog.setAttribute("aria-label", nameCombo(findPositions(at)) || data.title);
  if (focused) [...dialog.querySelectorAll("button")].find((button) => (button.getAttribute("aria-label") ?? button.textContent) === focused)?.focus({ preventScroll: true });
}

function step(down, right) {
  const next = move(opened, down, right);
  if (next !== undefined) openCell(next);
}

dialog.addEventListener("keydown", (event) => {
  if (event.target.matches("select, video, audio, input") || event.ctrlKey || event.metaKey || event.altKey) return;
  if (ARROWS[event.key]) { event.preventDefault(); step(...ARROWS[event.key]); }
  else rateByKey(event.key, opened);
});
dialog.addEventListener("close", () => { const at = opened; opened = null; dialog.replaceChildren(); if (at !== null) focusCell(at); });
dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });

const theme = recall("theme", "");
if (theme) document.documentElement.dataset.theme = theme;
const notes = make("footer", {}, make("span", { textContent: [data.note, "Ratings that you give here stay in this browser."].filter(Boolean).join(" ") }), press("link", "Copy ratings as a table", () => copy(writeRatings(), "The ratings were")));
document.body.append(make("div", { className: "top" }, make("div", {}, make("h1", { textContent: data.title }), make("p", { className: "dim", textContent: data.line }))), drawBar(), panel, pages, grid, notes, dialog);
arrange();
let width = grid.clientWidth;
new ResizeObserver(() => { if (grid.clientWidth && grid.clientWidth !== width) { width = grid.clientWidth; plot(); } }).observe(grid);
