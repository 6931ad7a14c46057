// The grid: only the rows and columns in sight are elements, so that thousands of cells cost no more than dozens.
const GAP = 8, SIDE = 156, BAND = 30, CAPTION = 46, BEYOND = 400, FAST = 1.5, CALM_DOWN_MS = 120;
let plan = null, rowNodes = new Map(), current = null, heading = null, isFlying = false, isOverdue = false;

function drawGrid() {
  const canvas = make("div", { className: "cg-sweep-canvas" }), scroller = make("div", { className: "cg-sweep-grid" }, canvas);
  scroller.setAttribute("role", "grid");
  scroller.setAttribute("aria-label", "The results");
  let due = false, was = [0, 0, 0], landing = null;
  scroller.addEventListener("scroll", () => {
    const now = [scroller.scrollTop, scroller.scrollLeft, performance.now()], far = Math.abs(now[0] - was[0]) + Math.abs(now[1] - was[1]);
    isFlying = far / Math.max(now[2] - was[2], 1) > FAST;   // pixels a millisecond; nothing is fetched that nobody sees
    was = now;
    clearTimeout(landing);
    landing = setTimeout(() => { isFlying = false; loadPictures(); }, CALM_DOWN_MS);
    if (!due) { due = true; requestAnimationFrame(() => { due = false; paint(); if (!isFlying) loadPictures(); }); }
  }, { passive: true });
  scroller.addEventListener("keydown", steer);
  return scroller;
}

function leaveGrid() {
  for (const node of rowNodes.values()) dropNode(node);
  plan = null;
  rowNodes = new Map();
  current = null;
}

const combine = (axes) => axes.reduce((found, axis) => found.flatMap((combo) => listShown(axis).map((at) => [...combo, [axis, at]])), [[]]);
const countSteps = () => { let step = 1; return sweep.axes.map((axis) => axis.labels.length).reverse().map((length) => { const mine = step; step *= length; return mine; }).reverse(); };
const sum = (combo, steps) => combo.reduce((total, [axis, at]) => total + steps[axis] * at, 0);

function plot() {   // where everything stands; after this the window is painted anew
  if (!sweep || !$("grid")) return;
  const steps = countSteps(), base = sum(layout.pages.map((axis) => [axis, layout.at[axis]]), steps);
  const width = $("grid").clientWidth || $("one").clientWidth, isNarrow = width < 640, flows = !layout.rows.length || !layout.columns.length;
  const cell = Math.min(readSize(), width - 2), high = Math.round(cell / findRatio());
  let rows = combine(layout.rows), columns = combine(layout.columns);
  if (!flows && layout.show !== "all") [rows, columns] = narrow(rows, columns, base, steps);
  plan = { steps, base, rows, columns, isNarrow, flows, cell, high, width };
  if (flows) flow(width);
  else {
    plan.top = measureHeads();
    plan.side = isNarrow ? 0 : SIDE;
    plan.band = isNarrow ? BAND : 0;
    plan.find = (row, column) => base + sum(rows[row], steps) + sum(columns[column], steps);
    plan.count = columns.length;
  }
  plan.length = flows ? plan.lines : rows.length;
  plan.rowHigh = plan.high + GAP + (flows ? CAPTION : plan.band);
  plan.columnWide = plan.cell + GAP;
  if (current !== null && !findPlace(current)) current = null;
  drawFrame();
}

function replot() {   // the keyboard stays where it was, or as near as there is
  const had = $("grid").contains(document.activeElement);
  isOverdue = false;
  plot();
  if (had) focusNear(current);
}

function focusNear(at) {
  if (!plan.length || !plan.count) return;
  const near = at !== null && findPlace(at) ? at : firstShown();
  if (near !== undefined) focusCell(near);
}

function flow(width) {   // one axis alone: its values follow each other in lines
  const all = combine([...plan.rows.length > 1 || layout.rows.length ? layout.rows : [], ...layout.columns]).map((combo) => ({ combo, at: plan.base + sum(combo, plan.steps) }));
  const wanted = layout.show === "all" ? all : all.filter(({ at }) => isWanted(sweep.cells[at]));
  const count = Math.max(1, Math.floor((width + GAP) / (plan.cell + GAP)));
  const cell = count < all.length ? Math.floor((width + GAP) / count) - GAP : plan.cell;   // full lines fill the width
  Object.assign(plan, { wanted, count, cell, high: Math.round(cell / findRatio()), lines: Math.ceil(wanted.length / count), top: 0, side: 0, band: 0 });
  plan.find = (row, column) => wanted[row * count + column]?.at;
}

function narrow(rows, columns, base, steps) {   // rows and columns without anything that is wanted are left out
  const has = (one, others) => others.some((other) => isWanted(sweep.cells[base + sum(one, steps) + sum(other, steps)]));
  return [rows.filter((row) => has(row, columns)), columns.filter((column) => has(column, rows))];
}

function findRatio() {   // width by height of the cells: that of the first picture that is there
  const first = sweep.cells.find((cell) => cell?.r?.some((result) => result.w));
  const { w, h } = first?.r.find((result) => result.w) ?? { w: sweep.size?.[0] ?? 1, h: sweep.size?.[1] ?? 1 };
  return Math.min(2.4, Math.max(0.42, w / h));
}

const nameCombo = (combo) => combo.map(([axis, at]) => `${sweep.axes[axis].title}: ${sweep.axes[axis].labels[at]}`).join(", ");

function drawLabel(className, combo, role, isNamed) {
  const lines = combo.map(([axis, at]) => make("span", {}, sweep.axes[axis].labels[at], isNamed ? make("small", { textContent: sweep.axes[axis].title }) : ""));
  const node = make("div", { className, title: nameCombo(combo) }, ...lines);
  node.setAttribute("role", role);
  return node;
}

function measureHeads() {   // room for the longest label, at most three lines for each axis
  const letters = Math.max(6, plan.cell / (plan.isNarrow ? 8.6 : 7.8)), count = (text, most) => Math.min(most, Math.ceil(text.length / letters));
  const lines = Math.max(...plan.columns.map((combo) => combo.reduce((total, [axis, at]) => total + count(sweep.axes[axis].labels[at], 3), 0)), 1);
  if (plan.isNarrow) return lines * 18 + 36;
  const corner = [layout.rows, layout.columns].reduce((total, axes) => total + Math.min(2, Math.ceil(nameAxes(axes).length / 20)), 0);
  return Math.max(lines * 18 + 14, corner * 17 + 16);
}

const nameAxes = (axes) => axes.map((axis) => sweep.axes[axis].title).join(" / ");

function drawCorner() {   // names the axes once, for all rows and columns
  const name = (axes, sign) => make("span", { textContent: `${nameAxes(axes)} ${sign}` });
  const corner = make("div", { className: "cg-sweep-corner" }, ...(plan.isNarrow ? [] : [name(layout.rows, "↓")]), name(layout.columns, "→"));
  corner.setAttribute("role", "presentation");
  corner.style.width = plan.isNarrow ? "" : `${SIDE - GAP}px`;
  return corner;
}

function drawFrame() {
  const canvas = $("canvas"), { flows, top, side, count, columnWide, length, rowHigh } = plan;
  for (const node of rowNodes.values()) dropNode(node);
  rowNodes = new Map();
  const wide = flows ? plan.width : side + count * columnWide;
  canvas.style.width = flows ? "100%" : `${wide}px`;
  canvas.style.height = `${top + length * rowHigh}px`;
  $("grid").setAttribute("aria-rowcount", length);
  $("grid").setAttribute("aria-colcount", count);
  $("grid").classList.toggle("cg-sweep-flows", flows);
  heading = flows ? null : make("div", { className: `cg-sweep-heads${plan.isNarrow ? " cg-sweep-narrow" : ""}`, style: `height:${top}px` });
  heading?.setAttribute("role", "row");
  heading?.append(drawCorner());
  const empty = !length || !count ? [say("cg-sweep-none", layout.show === "all" ? "There is nothing to show." : "Nothing fits this choice yet.")] : [];
  canvas.replaceChildren(...(heading ? [heading] : []), ...empty);
  if (heading) heading.columns = new Map();
  paint();
}

function paint() {
  if (!plan || !sweep) return;
  const scroller = $("grid"), { length, count, rowHigh, columnWide, top, side } = plan;
  const from = (at, size) => Math.max(0, Math.floor((at - BEYOND) / size)), to = (at, size, last) => Math.min(last, Math.ceil((at + BEYOND) / size));
  const y = scroller.scrollTop - top, x = scroller.scrollLeft - side;
  const [r0, r1] = [from(y, rowHigh), to(y + scroller.clientHeight, rowHigh, length)];
  const [c0, c1] = plan.flows ? [0, count] : [from(x, columnWide), to(x + scroller.clientWidth, columnWide, count)];
  for (const [row, node] of rowNodes) if (row < r0 || row >= r1) { dropNode(node); rowNodes.delete(row); }
  for (let row = r0; row < r1; row++) {
    if (!rowNodes.has(row)) addRow(row);
    fillRow(rowNodes.get(row), row, c0, c1);
  }
  if (heading) syncColumns(heading.columns, c0, c1, (column) => {
    const head = drawLabel("cg-sweep-head", plan.columns[column], "columnheader");
    head.style.cssText = `left:${side + column * columnWide}px;width:${plan.cell}px`;
    heading.append(head);
    return head;
  });
}

function syncColumns(nodes, c0, c1, add) {
  for (const [column, node] of nodes) if (column < c0 || column >= c1) { dropNode(node); nodes.delete(column); }
  for (let column = c0; column < c1; column++) if (!nodes.has(column)) nodes.set(column, add(column));
}

function dropNode(node) {   // what has not arrived yet is not fetched any more
  for (const picture of node.querySelectorAll("img")) if (!picture.complete) picture.removeAttribute("src");
  node.querySelectorAll("video").forEach(dropVideo);
  node.remove();
}

function loadPictures() {
  for (const picture of $("canvas")?.querySelectorAll("img[data-src]") ?? []) { picture.src = picture.dataset.src; picture.removeAttribute("data-src"); }
}

function addRow(row) {
  const node = make("div", { className: "cg-sweep-row", style: `top:${plan.top + row * plan.rowHigh}px;height:${plan.rowHigh}px` });
  node.setAttribute("role", "row");
  node.setAttribute("aria-rowindex", row + 1);
  node.columns = new Map();
  if (!plan.flows) {
    const label = drawLabel(plan.isNarrow ? "cg-sweep-band" : "cg-sweep-label", plan.rows[row], "rowheader", plan.isNarrow);
    if (!plan.isNarrow) label.style.cssText = `width:${SIDE - GAP}px;height:${plan.high}px`;
    node.append(label);
  }
  const after = [...rowNodes.keys()].filter((other) => other > row).sort((one, two) => one - two)[0];
  $("canvas").insertBefore(node, after === undefined ? null : rowNodes.get(after));
  rowNodes.set(row, node);
}

function fillRow(node, row, c0, c1) {
  syncColumns(node.columns, c0, c1, (column) => {
    const at = plan.find(row, column), cell = make("div", { className: "cg-sweep-cell" });
    if (at === undefined) return cell;
    cell.at = at;
    cell.setAttribute("role", "gridcell");
    cell.setAttribute("aria-colindex", column + 1);
    cell.style.cssText = `left:${plan.side + column * plan.columnWide}px;top:${plan.band}px;width:${plan.cell}px;height:${plan.high}px`;
    fillCell(cell, at);
    if (plan.flows) cell.append(make("p", { className: "cg-sweep-caption", title: nameCombo(plan.wanted[row * plan.count + column].combo), textContent: plan.wanted[row * plan.count + column].combo.map(([axis, value]) => sweep.axes[axis].labels[value]).join(" · ") }));
    node.append(cell);
    return cell;
  });
}

function* eachCell() { for (const row of rowNodes.values()) for (const cell of row.columns.values()) if (cell.at !== undefined) yield cell; }

function updateGrid(changed) {
  if (!plan) return;
  const ratio = Math.round(plan.cell / findRatio());
  if (ratio !== plan.high || (layout.show !== "all" && changed.length)) {
    if (!$("open").open) return replot();
    isOverdue = true;   // the arrow keys go on as they did until the large view is closed
  }
  const news = new Set(changed);
  for (const cell of eachCell()) {
    if (news.has(cell.at)) fillCell(cell, cell.at);
    else if (sweep.live?.[cell.at]) showLive(cell, sweep.live[cell.at]);
  }
}

function showCell(row, column) {   // scrolls as little as it takes
  const scroller = $("grid"), { rowHigh, columnWide, top, side } = plan, y = row * rowHigh, x = column * columnWide;
  if (y < scroller.scrollTop) scroller.scrollTop = y;
  if (top + y + rowHigh > scroller.scrollTop + scroller.clientHeight) scroller.scrollTop = top + y + rowHigh - scroller.clientHeight;
  if (x < scroller.scrollLeft) scroller.scrollLeft = x;
  if (side + x + columnWide > scroller.scrollLeft + scroller.clientWidth) scroller.scrollLeft = side + x + columnWide - scroller.clientWidth;
  paint();
}

function findPlace(at) {
  for (let row = 0; row < plan.length; row++) for (let column = 0; column < plan.count; column++) if (plan.find(row, column) === at) return [row, column];
  return null;
}

function move(at, down, right) {   // the cell beside this one, or null at the edge
  const place = findPlace(at);
  if (!place) return null;
  const [row, column] = [place[0] + down, place[1] + right];
  return row >= 0 && row < plan.length && column >= 0 && column < plan.count ? plan.find(row, column) ?? null : null;
}

function focusCell(at) {
  const place = findPlace(at);
  if (!place) return;
  current = at;
  showCell(...place);
  for (const cell of eachCell()) cell.querySelector(".cg-sweep-shot").tabIndex = cell.at === at ? 0 : -1;
  rowNodes.get(place[0])?.columns.get(place[1])?.querySelector(".cg-sweep-shot").focus({ preventScroll: true });
}

const ARROWS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
function steer(event) {
  const at = event.target.closest(".cg-sweep-cell")?.at;
  if (at === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
  if (ARROWS[event.key]) {
    event.preventDefault();
    const next = move(at, ...ARROWS[event.key]);
    if (next !== null) focusCell(next);
  } else rateByKey(event.key, at);
}
new ResizeObserver(() => { if (plan && $("grid")?.clientWidth && $("grid").clientWidth !== plan.width) plot(); }).observe(element);
