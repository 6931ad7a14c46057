// The grid: rows are filled when they come into sight and emptied when they leave it, so that thousands stay quick.
const SIDE = 150, GAP = 8, CAPTION = 44, BEYOND = 700;
const grid = make("div", { className: "grid", tabIndex: -1 });
grid.setAttribute("role", "grid");
grid.setAttribute("aria-label", "The results");
let plan = null, current = null, near = null;

const combine = (list) => list.reduce((found, axis) => found.flatMap((combo) => listShown(axis).map((at) => [...combo, [axis, at]])), [[]]);
const add = (combo) => combo.reduce((total, [axis, at]) => total + strides[axis] * at, 0);

function findRatio() {   // of width and height, of the commonest picture
  const counts = new Map();
  for (const cell of cells) for (const one of cell?.r ?? []) if (one.w) counts.set(one.w / one.h, (counts.get(one.w / one.h) ?? 0) + 1);
  const [ratio] = [...counts].sort((one, two) => two[1] - one[1])[0] ?? [cells.some((cell) => cell?.r?.some((one) => one.t !== undefined)) ? 1 : 1.5];
  return Math.min(3, Math.max(1 / 3, ratio));
}
const ratio = findRatio();

function listSorted() {
  const shown = axes.map((_, axis) => new Set(listShown(axis))), all = cells.map((_, at) => at).filter((at) => isWanted(at) && findPositions(at).every(([axis, value]) => shown[axis].has(value)));
  if (layout.sort === "best") return all.filter((at) => (cells[at] ?? EMPTY).p !== "waiting").sort((one, two) => readRating(two) - readRating(one) || one - two);
  const timed = all.filter((at) => cells[at]?.s), sign = layout.sort === "fast" ? 1 : -1;
  return timed.sort((one, two) => sign * (cells[one].s - cells[two].s) || one - two);
}

function choosePlan() {   // which cell stands where
  const base = add(layout.pages.map((axis) => [axis, layout.at[axis]]));
  let rows = combine(layout.rows), columns = combine(layout.columns);
  if (layout.sort === "grid" && layout.rows.length && layout.columns.length) {
    if (layout.show !== "all") {
      const wanted = (row, column) => isWanted(base + add(row) + add(column));
      [rows, columns] = [rows.filter((row) => columns.some((column) => wanted(row, column))), columns.filter((column) => rows.some((row) => wanted(row, column)))];
    }
    return { flows: false, rows, columns, list: rows.map((row) => columns.map((column) => base + add(row) + add(column))) };
  }
  const isSorted = layout.sort !== "grid";
  const found = isSorted ? listSorted() : rows.flatMap((row) => columns.map((column) => base + add(row) + add(column))).filter(isWanted);
  const named = isSorted ? axes.map((_, axis) => axis) : [...layout.rows, ...layout.columns], count = Math.max(1, Math.floor((grid.clientWidth + GAP) / (readSide() + GAP)));
  const list = Array.from({ length: Math.ceil(found.length / count) }, (_, line) => found.slice(line * count, (line + 1) * count));
  return { flows: true, named, list };
}

const readSide = () => Math.min(layout.size, Math.max(80, grid.clientWidth - 2));

function plot() {
  dropVideos(grid);
  near?.disconnect();
  plan = choosePlan();
  const isNarrow = grid.clientWidth < 640, side = readSide(), width = plan.list[0]?.length ?? 0;
  plan.places = new Map(plan.list.flatMap((line, row) => line.map((at, column) => [at, [row, column]])));
  plan.high = Math.round(side / ratio);
  grid.classList.toggle("narrow", isNarrow || plan.flows);
  for (const [name, value] of Object.entries({ "--cell": `${side}px`, "--high": `${plan.high}px`, "--side": `${SIDE}px`, "--count": plan.flows ? Math.max(1, Math.floor((grid.clientWidth + GAP) / (side + GAP))) : width })) grid.style.setProperty(name, value);
  const heads = plan.flows ? (plan.named.length ? [make("p", { className: "dim", textContent: plan.named.map((axis) => axes[axis].title).join(" · ") })] : []) : [drawHeads(isNarrow)];
  plan.rows = plan.list.map((_, row) => {
    const node = make("div", { className: "row" });
    node.setAttribute("role", "row");
    node.setAttribute("aria-rowindex", row + 1);
    node.style.height = `${plan.high + (plan.flows ? CAPTION : isNarrow ? 26 : 0)}px`;
    node.at = row;
    return node;
  });
  const none = plan.list.length && width ? [] : [make("p", { className: "none", textContent: layout.show === "all" ? "There is nothing to show." : "Nothing fits this choice." })];
  grid.replaceChildren(make("div", { className: "canvas" }, ...heads, ...plan.rows, ...none));
  near = new IntersectionObserver((entries) => { for (const { isIntersecting, target } of entries) isIntersecting ? fillRow(target) : emptyRow(target); }, { root: grid, rootMargin: `${BEYOND}px 0px` });
  plan.rows.forEach((row) => near.observe(row));
  if (!plan.places.has(current)) current = plan.list[0]?.[0] ?? null;
}

function drawWords(node, combo, role) {
  node.setAttribute("role", role);
  node.title = nameCombo(combo);
  node.append(...combo.map(([axis, at], level) => make("span", { className: level < combo.length - 1 ? "words outer" : "words", textContent: axes[axis].labels[at] })));
  return node;
}

function drawHeads(isNarrow) {
  const name = (list, sign) => list.length ? make("span", { textContent: `${list.map((axis) => axes[axis].title).join(" / ")} ${sign}` }) : "";
  const corner = make("div", { className: "corner" }, isNarrow ? "" : name(layout.rows, "↓"), name(layout.columns, "→"));
  const heads = make("div", { className: "heads" }, corner, ...plan.columns.map((combo) => drawWords(make("div", { className: "head" }), combo, "columnheader")));
  heads.setAttribute("role", "row");
  return heads;
}

function fillRow(node) {
  if (node.firstChild) return;
  if (!plan.flows) node.append(drawWords(make("div", { className: "label" }), plan.rows.length ? rowCombo(node.at) : [], "rowheader"));
  plan.list[node.at].forEach((at, column) => {
    const cell = make("div", { className: "cell" });
    cell.setAttribute("role", "gridcell");
    cell.setAttribute("aria-colindex", column + 1);
    cell.at = at;
    fillCell(cell);
    if (plan.flows) cell.append(make("p", { className: "caption", title: nameCombo(findPositions(at)), textContent: findPositions(at).filter(([axis]) => plan.named.includes(axis)).map(([axis, value]) => axes[axis].labels[value]).join(" · ") }));
    node.append(cell);
  });
}

const rowCombo = (row) => findPositions(plan.list[row][0]).filter(([axis]) => layout.rows.includes(axis)).sort(([one], [two]) => layout.rows.indexOf(one) - layout.rows.indexOf(two));

function emptyRow(node) {
  if (node.contains(document.activeElement)) return;
  dropVideos(node);
  node.replaceChildren();
}

function fillCell(node) {
  const { at } = node, cell = cells[at] ?? EMPTY, rating = readRating(at), had = node.contains(document.activeElement);
  dropVideos(node);
  const shot = node.querySelector(".shot") ?? node.insertBefore(press("shot", "", () => openCell(at)), node.firstChild);
  node.dataset.phase = cell.p;
  node.toggleAttribute("data-rejected", rating < 0);
  node.toggleAttribute("data-unwanted", !isWanted(at));
  shot.tabIndex = at === current ? 0 : -1;
  shot.setAttribute("aria-label", [nameCombo(findPositions(at)), WORDS[cell.p], nameRating(rating)].filter(Boolean).join(", "));
  const count = cell.r?.filter(isThere).length ?? 0, main = findMain(cell);
  shot.replaceChildren(...drawShot(cell), rating ? make("span", { className: "mark", textContent: rating < 0 ? "Rejected" : "★".repeat(rating) }) : "", count > 1 ? make("span", { className: "mark count", textContent: `1 of ${count}` }) : "");
  node.querySelector("audio")?.remove();
  if (main?.n === "audio" && readFile(main)) shot.after(make("audio", { controls: true, preload: "none", src: readFile(main) }));
  if (had) shot.focus({ preventScroll: true });
}

function updateCell(at) {
  const place = plan.places.get(at);
  const node = place && [...plan.rows[place[0]].children].find((cell) => cell.at === at);
  if (node) fillCell(node);
}

function move(at, down, right) {   // the cell beside this one, undefined at the edge
  const [row, column] = plan.places.get(at) ?? [], count = plan.list[0]?.length;
  if (row === undefined) return undefined;
  if (!plan.flows || down) return plan.list[row + down]?.[column + right];
  const next = row * count + column + right;   // lines go on in the next one
  return plan.list[Math.floor(next / count)]?.[next % count];
}

function focusCell(at) {
  const place = plan.places.get(at);
  if (!place) return;
  const before = current, row = plan.rows[place[0]];
  current = at;
  fillRow(row);
  if (before !== at) updateCell(before);
  const node = [...row.children].find((cell) => cell.at === at), shot = node.querySelector(".shot"), heads = grid.querySelector(".heads")?.offsetHeight ?? 0;
  shot.tabIndex = 0;
  shot.focus({ preventScroll: true });
  node.style.scrollMargin = `${heads + 8}px 8px 8px ${grid.classList.contains("narrow") ? 8 : SIDE + 8}px`;
  node.scrollIntoView({ block: "nearest", inline: "nearest" });
}

const ARROWS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
grid.addEventListener("keydown", (event) => {
  const at = event.target.closest(".cell")?.at;
  if (at === undefined || event.ctrlKey || event.metaKey || event.altKey || event.target.matches("audio")) return;
  if (ARROWS[event.key]) {
    event.preventDefault();
    const next = move(at, ...ARROWS[event.key]);
    if (next !== undefined) focusCell(next);
  } else rateByKey(event.key, at);
});
