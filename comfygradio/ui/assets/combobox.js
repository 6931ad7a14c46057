// A text box with a list that the server searches; made for lists of tens of thousands of names.
window.comfygradioCombobox = ({ label, shown, search, pick, total }) => {
  const make = (tag, props, ...children) => {
    const node = Object.assign(document.createElement(tag), props);
    node.append(...children);
    return node;
  };
  const id = "cg-list-" + Math.random().toString(36).slice(2);
  const input = make("input", { type: "text", className: "cg-combo-input", value: shown, autocomplete: "off", spellcheck: false });
  const list = make("ul", { id, className: "cg-combo-list", hidden: true });
  const root = make("div", { className: "cg-combo" }, input, list);
  let found = [], at = -1, asked = 0, timer = 0, waiting = false, hurried = false;
  for (const [name, value] of Object.entries({ role: "combobox", "aria-label": label, "aria-autocomplete": "list", "aria-controls": id, "aria-expanded": "false" })) input.setAttribute(name, value);
  list.setAttribute("role", "listbox");

  const close = () => { list.hidden = true; input.setAttribute("aria-expanded", "false"); input.removeAttribute("aria-activedescendant"); at = -1; };
  const mark = (index) => {
    at = Math.max(0, Math.min(index, found.length - 1));
    [...list.querySelectorAll("[role=option]")].forEach((item, i) => {
      item.setAttribute("aria-selected", String(i === at));
      if (i === at) { item.scrollIntoView({ block: "nearest" }); input.setAttribute("aria-activedescendant", item.id); }
    });
  };
  const choose = (index) => {
    if (!found[index]) return;
    shown = found[index][0];
    input.value = shown;
    close();
    pick(found[index][1], shown);
  };
  const paint = (answer) => {
    found = answer.found;
    list.replaceChildren(...found.map(([name], i) => {
      const item = make("li", { id: id + "-" + i, textContent: name, title: name });
      item.setAttribute("role", "option");
      item.addEventListener("pointerdown", (event) => { event.preventDefault(); choose(i); });
      return item;
    }));
    const hint = !found.length ? "Nothing fits." : answer.count > found.length ? `${found.length} of ${answer.count.toLocaleString()} shown; type to narrow.` : "";
    if (hint) list.append(make("li", { className: "cg-combo-hint", textContent: hint }));
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    mark(0);
    if (hurried) choose(0);
  };
  const ask = async (query) => {
    const mine = ++asked;
    waiting = true;
    try {
      const answer = await search(query);
      if (mine !== asked) return;
      waiting = false;
      if (document.activeElement === input || hurried) paint(answer);
    } catch { waiting = false; /* the app is away for a moment; the next key asks again */ }
    hurried = false;
  };
  input.addEventListener("input", () => { clearTimeout(timer); asked++; waiting = true; hurried = false; timer = setTimeout(() => ask(input.value), 90); });
  input.addEventListener("focus", () => { input.select(); ask(""); });
  input.addEventListener("click", () => { if (list.hidden) ask(""); });
  input.addEventListener("blur", () => {
    if (hurried) return;   // Enter was pressed before the answer came
    clearTimeout(timer);
    asked++;
    waiting = false;
    input.value = shown;
    close();
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") { event.preventDefault(); list.hidden ? ask("") : mark(at + 1); }
    else if (event.key === "ArrowUp") { event.preventDefault(); mark(at - 1); }
    else if (event.key === "Enter" && (waiting || !list.hidden)) { event.preventDefault(); waiting ? (hurried = true) : choose(at); }
    else if (event.key === "Escape") { input.value = shown; close(); }
  });
  if (total) input.placeholder = `Search ${total.toLocaleString()} names`;
  return { root, input, show: (name) => { shown = name; if (document.activeElement !== input) input.value = name; } };
};
