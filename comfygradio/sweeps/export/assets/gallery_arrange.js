// How the grid is laid out: which axes are rows, columns and pages, which values and cells are shown, in which order.
const PLACES = { rows: "Rows", columns: "Columns", pages: "Pages" };
const SHOWS = [["all", "Everything"], ["done", "Finished"], ["failed", "Failed"], ["kept", "Not rejected"], ["1", "★ and more"], ["2", "★★ and more"], ["3", "★★★ and more"], ["4", "★★★★ and more"], ["5", "★★★★★"]];
const SORTS = [["grid", "As a grid"], ["best", "Best rated first"], ["fast", "Fastest first"], ["slow", "Slowest first"]];
const layout = readLayout();
const panel = make("div", { className: "arrangement", id: "arrangement", hidden: true }), pages = make("div", { className: "pages" });

function readLayout() {
  const given = { at: {}, hidden: {}, show: "all", sort: "grid", size: innerWidth < 640 ? 150 : 190, ...data.layout }, kept = recall("layout", null);
  const all = kept ? [...kept.rows, ...kept.columns, ...kept.pages] : [];
  return all.length === axes.length && axes.every((_, axis) => all.includes(axis)) ? { ...given, ...kept } : given;
}

const listShown = (axis) => axes[axis].labels.map((_, at) => at).filter((at) => !layout.hidden[axis]?.includes(at));

function isWanted(at) {
  const rating = readRating(at);
  if (layout.show === "all") return true;
  if (layout.show === "done" || layout.show === "failed") return cells[at]?.p === layout.show;
  return rating >= (layout.show === "kept" ? 0 : Number(layout.show));
}

function drawBar() {
  const open = press("", "Arrange", () => { panel.hidden = !panel.hidden; open.setAttribute("aria-expanded", String(!panel.hidden)); });
  open.setAttribute("aria-expanded", "false");
  open.setAttribute("aria-controls", panel.id);
  const swap = press("", "⇄", () => { [layout.rows, layout.columns] = [layout.columns, layout.rows]; arrange(); }, "Swap rows and columns");
  const show = choose("Show", SHOWS, layout.show, (value) => { layout.show = value; arrange(); });
  const sort = choose("Order", SORTS, layout.sort, (value) => { layout.sort = value; arrange(); });
  const size = make("input", { type: "range", min: 80, max: 480, step: 10, value: layout.size });
  size.setAttribute("aria-label", "Size of the pictures");
  size.addEventListener("input", () => { layout.size = Number(size.value); plot(); });
  size.addEventListener("change", () => keep("layout", layout));
  const isDark = () => (document.documentElement.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const theme = press("", "◐", () => { document.documentElement.dataset.theme = isDark() ? "light" : "dark"; keep("theme", document.documentElement.dataset.theme); }, "Light or dark");
  return make("div", { className: "bar" }, ...(axes.length ? [open] : []), ...(axes.length > 1 ? [swap] : []), show, sort, make("span", { className: "zoom" }, "Size", size), theme);
}

function arrange() {   // after any change of the layout
  keep("layout", layout);
  for (const axis of layout.pages) {
    const shown = listShown(axis);
    if (!shown.includes(layout.at[axis])) layout.at[axis] = shown[0] ?? 0;
  }
  panel.replaceChildren(...axes.map(drawAxis));
  pages.replaceChildren(...(layout.sort === "grid" ? layout.pages.map(drawPager) : []));
  plot();
}

function drawAxis(axis, at) {
  const place = choose(`Where to show ${axis.title}`, Object.entries(PLACES), Object.keys(PLACES).find((name) => layout[name].includes(at)), (value) => {
    for (const name of Object.keys(PLACES)) layout[name] = layout[name].filter((other) => other !== at);
    layout[value] = [...layout[value], at].sort((one, two) => one - two);
    arrange();
    panel.querySelectorAll("select")[at].focus();
  });
  const chips = axis.labels.slice(0, 200).map((label, value) => {
    const isShown = !layout.hidden[at]?.includes(value);
    const chip = press("chip", label, () => {
      const hidden = new Set(layout.hidden[at] ?? []);
      if (hidden.has(value)) hidden.delete(value);
      else if (listShown(at).length > 1) hidden.add(value);
      layout.hidden[at] = [...hidden];
      arrange();
      panel.children[at].querySelectorAll(".chip")[value]?.focus();
    });
    chip.setAttribute("aria-pressed", String(isShown));
    chip.title = isShown ? `Hide ${label}` : `Show ${label}`;
    return chip;
  });
  return make("div", { className: "axis" }, make("b", { textContent: axis.title }), place, make("div", { className: "chips" }, ...chips));
}

function drawPager(axis) {
  const { title, labels } = axes[axis], shown = listShown(axis), now = shown.indexOf(layout.at[axis]);
  const turn = (to) => { layout.at[axis] = shown[(to + shown.length) % shown.length]; arrange(); };
  const pick = choose(title, shown.map((value) => [value, labels[value]]), layout.at[axis], (value) => { layout.at[axis] = Number(value); arrange(); });
  return make("div", { className: "pager" }, make("span", { textContent: title }), press("", "‹", () => turn(now - 1), `Previous ${title}`), pick, press("", "›", () => turn(now + 1), `Next ${title}`), make("small", { className: "dim", textContent: `${now + 1} of ${shown.length}` }));
}
