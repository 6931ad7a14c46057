// How the grid is laid out: which axes are rows, columns and pages, which values and which cells are shown.
const LAYOUTS = "comfygradio.layouts", REMEMBERED = 30, PLACES = { rows: "Rows", columns: "Columns", pages: "Pages" };
const SHOWS = [["all", "Everything"], ["done", "Finished"], ["failed", "Failed"], ["kept", "Not rejected"], ["1", "★ and more"], ["2", "★★ and more"], ["3", "★★★ and more"], ["4", "★★★★ and more"], ["5", "★★★★★"]];
let layout = null;
const readSize = () => storage.read("all", "comfygradio.cell", innerWidth < 640 ? 170 : 190);

function readLayout() {
  const known = storage.read("all", LAYOUTS, {})[sweep.token], count = sweep.axes.length, all = known ? [...known.rows, ...known.columns, ...known.pages] : [];
  if (known && all.length === count && sweep.axes.every((_, axis) => all.includes(axis))) return known;
  const { rows, columns, pages } = sweep.layout;
  return { rows, columns, pages, at: {}, hidden: {}, show: "all" };
}

function keepLayout() {
  const kept = Object.entries(storage.read("all", LAYOUTS, {})).filter(([token]) => token !== sweep.token).slice(1 - REMEMBERED);
  storage.keep("all", LAYOUTS, Object.fromEntries([...kept, [sweep.token, layout]]));
}

const listShown = (axis) => sweep.axes[axis].labels.map((_, at) => at).filter((at) => !layout.hidden[axis]?.includes(at));

function drawArrangement() {
  layout = readLayout();
  const panel = make("div", { className: "cg-sweep-arrangement", id: "cg-sweep-arrangement", hidden: true });
  const open = press("cg-small", "Arrange", () => { panel.hidden = !panel.hidden; open.setAttribute("aria-expanded", String(!panel.hidden)); });
  open.setAttribute("aria-expanded", "false");
  open.setAttribute("aria-controls", panel.id);
  const swap = press("cg-small cg-sweep-swap", "⇄", () => { [layout.rows, layout.columns] = [layout.columns, layout.rows]; arrange(); }, "Swap rows and columns");
  const show = make("select", { className: "cg-box cg-sweep-show" }, ...SHOWS.map(([value, text]) => make("option", { value, textContent: text })));
  show.setAttribute("aria-label", "Show");
  show.value = layout.show;
  show.addEventListener("change", () => { layout.show = show.value; arrange(); });
  const size = make("input", { type: "range", className: "cg-range cg-sweep-size", min: 80, max: 420, step: 10, value: readSize() });
  size.setAttribute("aria-label", "Size of the pictures");
  size.addEventListener("input", () => { storage.keep("all", "comfygradio.cell", Number(size.value)); plot(); });
  const bar = make("div", { className: "cg-sweep-bar" }, ...(sweep.axes.length > 1 ? [open, swap] : [open]), show, make("span", { className: "cg-sweep-zoom" }, "Size", size));
  return [bar, panel, make("div", { className: "cg-sweep-pages" })];
}

function arrange() {   // after any change of the layout
  keepLayout();
  for (const axis of layout.pages) {
    const shown = listShown(axis);
    if (!shown.includes(layout.at[axis])) layout.at[axis] = shown[0] ?? 0;
  }
  $("arrangement").replaceChildren(...sweep.axes.map(drawAxisPlace));
  $("pages").replaceChildren(...layout.pages.map(drawPager));
  $("swap")?.toggleAttribute("disabled", !layout.rows.length && !layout.columns.length);
  plot();
}

function drawAxisPlace(axis, at) {
  const place = make("select", { className: "cg-box" }, ...Object.entries(PLACES).map(([value, text]) => make("option", { value, textContent: text })));
  place.setAttribute("aria-label", `Where to show ${axis.title}`);
  place.value = Object.keys(PLACES).find((name) => layout[name].includes(at));
  place.addEventListener("change", () => {
    for (const name of Object.keys(PLACES)) layout[name] = layout[name].filter((other) => other !== at);
    layout[place.value] = [...layout[place.value], at].sort((one, two) => one - two);
    arrange();
    $("arrangement").querySelectorAll("select")[at].focus();
  });
  const values = axis.labels.slice(0, 200).map((label, value) => {
    const isShown = !layout.hidden[at]?.includes(value);
    const chip = press("cg-sweep-chip", label, () => {
      const hidden = new Set(layout.hidden[at] ?? []);
      if (hidden.has(value)) hidden.delete(value);
      else if (listShown(at).length > 1) hidden.add(value);
      layout.hidden[at] = [...hidden];
      arrange();
      $("arrangement").children[at].querySelectorAll(".cg-sweep-chip")[value]?.focus();
    });
    chip.setAttribute("aria-pressed", String(isShown));
    chip.title = isShown ? `Hide ${label}` : `Show ${label}`;
    return chip;
  });
  return make("div", { className: "cg-sweep-where" }, make("b", { textContent: axis.title }), place, make("div", { className: "cg-sweep-chips" }, ...values));
}

function drawPager(axis) {
  const { title, labels } = sweep.axes[axis], shown = listShown(axis), now = shown.indexOf(layout.at[axis]);
  const turn = (to) => { layout.at[axis] = shown[(to + shown.length) % shown.length]; arrange(); };
  const pick = make("select", { className: "cg-box" }, ...shown.map((value) => make("option", { value: String(value), textContent: labels[value] })));
  pick.setAttribute("aria-label", title);
  pick.value = String(layout.at[axis]);
  pick.addEventListener("change", () => { layout.at[axis] = Number(pick.value); arrange(); });
  const back = press("cg-small", "‹", () => turn(now - 1), `Previous ${title}`), on = press("cg-small", "›", () => turn(now + 1), `Next ${title}`);
  return make("div", { className: "cg-sweep-pager" }, make("span", { className: "cg-label", textContent: title }), back, pick, on, make("span", { className: "cg-info", textContent: `${now + 1} of ${shown.length}` }));
}

function isWanted(cell) {
  const rating = cell?.k ?? 0;
  if (layout.show === "all") return true;
  if (layout.show === "done") return cell?.p === "done";
  if (layout.show === "failed") return cell?.p === "failed";
  if (layout.show === "kept") return rating >= 0;
  return rating >= Number(layout.show);
}
