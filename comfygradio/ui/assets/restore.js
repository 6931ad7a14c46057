const root = element.querySelector(".cg-report");
const make = (tag, attributes, ...children) => {
  const node = Object.assign(document.createElement(tag), attributes);
  node.append(...children);
  return node;
};

function line(row) {
  const box = make("input", { type: "checkbox", checked: true, value: row.name });
  box.setAttribute("aria-label", "Take over " + row.label);
  const then = make("td", {}, make("span", { textContent: row.then }));
  if (row.note) then.append(make("small", { textContent: row.note }));
  return make("tr", {}, make("td", {}, box), make("th", { scope: "row", textContent: row.label }), make("td", { textContent: row.now }), then);
}

function table(rows) {
  const head = make("tr", {}, make("td", {}), ...["Setting", "In the form", "In the file"].map((text) => make("th", { scope: "col", textContent: text })));
  return make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows.map(line)));
}

const list = (title, texts) => make("div", { className: "cg-report-notes" }, make("b", { textContent: title }), make("ul", {}, ...texts.map((text) => make("li", { textContent: text }))));

function paint() {
  const report = props.value ?? {};
  root.replaceChildren();
  if (report.error) root.append(make("div", { className: "cg-note", role: "alert" }, make("p", { textContent: report.error })));
  if (!report.preset) {
    if (report.notes?.length) root.append(list("Also:", report.notes));
    return;
  }
  const differ = report.rows.filter((row) => row.state !== "missing" && !row.same);
  const same = report.rows.filter((row) => row.same).length;
  const missing = report.rows.filter((row) => row.state === "missing");
  root.append(make("p", { textContent: report.reason }));
  if (differ.length) root.append(table(differ));
  if (same) root.append(make("p", { className: "cg-info", textContent: same === 1 ? "1 setting is the same in both." : same + " settings are the same in both." }));
  if (missing.length) root.append(list("Could not be read:", missing.map((row) => row.label + ": " + row.note)));
  if (report.notes.length) root.append(list("Worth knowing:", report.notes));
  const button = make("button", { type: "button", className: "cg-take", textContent: differ.length ? "Use the ticked settings" : "Show this form" });
  button.addEventListener("click", () => {
    const ticked = new Set([...root.querySelectorAll("tbody input:checked")].map((box) => box.value));
    trigger("take", { secret: report.secret, fields: differ.map((row) => row.name).filter((name) => ticked.has(name)) });
  });
  root.append(button);
}
watch("value", paint);
