// Ticking values of a list, and adding files, instead of typing.
async function fillAll(entry, row) {
  const answer = await call("choices", { preset: draft.preset, field: entry.field, all: true });
  if (answer.text === undefined) return;
  row.box.value = entry.text = answer.text;
  study();
  row.box.focus();
}

async function toggleList(entry, row) {
  row.list.hidden = !row.list.hidden;
  row.choose.setAttribute("aria-expanded", String(!row.list.hidden));
  if (row.list.hidden) return;
  const query = make("input", { type: "search", className: "cg-box", placeholder: "Search" }), found = make("div", { className: "cg-sweep-found" });
  query.setAttribute("aria-label", "Search the list");
  const told = about.fields.find((field) => field.name === entry.field);
  query.hidden = told.choices <= 12;
  row.list.replaceChildren(query, found);
  let asked = 0, timer = null;
  const look = async () => {
    const mine = ++asked, answer = await call("choices", { preset: draft.preset, field: entry.field, query: query.value });
    if (mine !== asked || !answer.found) return;
    found.replaceChildren(...answer.found.map((choice) => drawTick(entry, row, choice)));
    if (answer.count > answer.found.length) found.append(say("cg-info", `${answer.found.length} of ${answer.count.toLocaleString("en-GB")} shown; search to narrow.`));
    tickList(row);
  };
  query.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(look, 120); });
  await look();
}

function drawTick(entry, row, choice) {
  const box = make("input", { type: "checkbox", className: "cg-tick" });
  box.dataset.written = choice.text;
  box.addEventListener("change", () => {
    const typed = entry.text.trim(), texts = new Set(row.told?.texts ?? (typed ? [typed] : []));
    if (box.checked) texts.add(choice.text);
    else texts.delete(choice.text);
    row.told = { ...row.told, texts: [...texts] };
    row.box.value = entry.text = [...texts].join(", ");
    study(TYPE_MS);
  });
  return make("label", { className: "cg-sweep-tick" }, box, make("span", { textContent: choice.label }));
}

function tickList(row) {   // what is typed decides what is ticked
  const texts = new Set(row.told?.texts ?? []);
  for (const box of row.list.querySelectorAll("input[type=checkbox]")) box.checked = texts.has(box.dataset.written);
}

function drawFiles(entry, row, told) {
  const shape = JSON.stringify([told.name, entry.files?.map((file) => file.path)]);
  if (row.files.dataset.shape === shape) return;
  row.files.dataset.shape = shape;
  const pick = make("input", { type: "file", multiple: true, accept: told.accept }), words = make("span", { textContent: "Add files" });
  pick.addEventListener("change", async () => {
    words.textContent = "One moment …";
    try {
      for (const file of pick.files) (entry.files ??= []).push({ path: (await upload(file)).path, name: file.name });
    } catch { announce("A file did not arrive; please add it again."); }
    row.files.dataset.shape = "";
    study();
  });
  const cards = (entry.files ?? []).map((file) => {
    const gone = press("cg-sweep-drop", "×", () => { entry.files.splice(entry.files.indexOf(file), 1); study(); }, `Remove ${file.name}`);
    const shown = told.accept.startsWith("image") ? make("img", { src: link(`gradio_api/file=${file.path}`), alt: file.name, title: file.name }) : make("span", { textContent: file.name });
    return make("span", { className: "cg-sweep-file" }, shown, gone);
  });
  row.files.replaceChildren(...cards, make("label", { className: "cg-sweep-add" }, pick, words));
}
