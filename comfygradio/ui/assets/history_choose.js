// Several jobs at once: compare two, download, delete.
function choose(token, on) {
  if (on) chosen.add(token);
  else chosen.delete(token);
  const card = cards.get(token);
  if (card) {
    card.querySelector(".cg-past-tick").checked = on;
    card.classList.toggle("cg-past-is-chosen", on);
  }
  showChosen();
}

function showChosen() {
  const bar = $("chosen"), count = chosen.size;
  bar.hidden = !count;
  element.querySelector(".cg-past").toggleAttribute("data-choosing", count > 0 || $("select").ariaPressed === "true");
  if (!count) return bar.replaceChildren();
  const compare = press("cg-small", "Compare", compareTwo, count === 2 ? "" : "Select two to compare them");
  compare.disabled = count !== 2;
  bar.replaceChildren(make("span", { className: "cg-past-count" }, String(count), make("i", { textContent: " selected" })), compare, press("cg-small", "Download", downloadAll, "As one zip file"), press("cg-small cg-past-danger", "Delete", () => ask([...chosen])), press("cg-small cg-past-plain", "Clear", clearChosen));
}

function clearChosen() {
  $("select").ariaPressed = "false";
  for (const token of [...chosen]) choose(token, false);
  showChosen();
}

async function downloadAll() {
  const tokens = [...chosen].filter((token) => jobs.get(token)?.results.some((result) => result.url));
  if (!tokens.length) return say("There are no files among these.");
  if (tokens.length > 500) return say("Up to 500 can be downloaded at once.");
  const ready = await call("look", { tokens: [] });
  if (ready.error) return;
  const form = make("form", { method: "post", action: link("gradio_api/comfygradio/history.zip"), hidden: true });
  for (const [name, value] of [["access", access], ...tokens.map((token) => ["job", token])]) form.append(make("input", { type: "hidden", name, value }));
  document.body.append(form);
  form.submit();
  form.remove();
}

function ask(tokens) {
  const open = tokens.filter((token) => jobs.has(token) && !isOver(jobs.get(token))).length, over = tokens.length - open;
  if (!over) return say("These are not over yet; stop them before deleting them.");
  const what = over === 1 ? "this result" : `these ${over} results`, files = over === 1 ? "Its files are" : "Their files are";
  const more = open ? ` ${open} that ${open === 1 ? "is" : "are"} not over yet will stay.` : "";
  const go = press("cg-take cg-past-delete", "Delete", async () => { go.disabled = true; await deleteAll(tokens); $("ask").close(); });
  const stay = press("cg-small", "Cancel", () => $("ask").close());
  $("ask").replaceChildren(make("h3", { textContent: `Delete ${what}?` }), make("p", { textContent: `${files} deleted, too. This cannot be undone.${more}` }), make("div", { className: "cg-past-actions" }, stay, go));
  $("ask").showModal();
  stay.focus();
}

async function deleteAll(tokens) {
  const over = tokens.filter((token) => !jobs.has(token) || isOver(jobs.get(token)));
  const order = [...jobs.keys()], at = order.indexOf(opened?.token);
  const answer = await call("delete", { tokens: over });
  const gone = new Set(answer.deleted ?? []);
  const following = order.slice(at + 1).find((token) => !gone.has(token)) ?? order.slice(0, Math.max(at, 0)).reverse().find((token) => !gone.has(token));
  gone.forEach(remove);
  showChosen();
  if (opened && gone.has(opened.token)) following ? openJob(following) : $("open").close();
}

async function compareTwo() {
  const mine = ++opening, [one, two] = await Promise.all([...jobs.keys()].filter((token) => chosen.has(token)).reverse().map((token) => call("open", { token })));
  if (mine !== opening || !isShown() || !one?.token || !two?.token) return;
  const figure = (job) => {
    const result = job.results.find((each) => each.url || each.text);
    return make("figure", {}, make("div", { className: "cg-past-stage" }, drawMedia(job, result)), make("figcaption", { textContent: `${job.title} · ${new Date(job.created * 1000).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" })}` }));
  };
  const read = (job) => new Map(job.values.map((value) => [value.name, value]));
  const left = read(one), right = read(two), names = [...new Set([...left.keys(), ...right.keys()])];
  const differ = names.filter((name) => left.get(name)?.text !== right.get(name)?.text);
  const cell = (value) => make("td", { textContent: value ? value.text || "empty" : "—" });
  const rows = differ.map((name) => make("tr", {}, make("th", { scope: "row", textContent: (left.get(name) ?? right.get(name)).label }), cell(left.get(name)), cell(right.get(name))));
  const same = names.length - differ.length;
  const close = press("cg-past-close", "×", () => $("compare").close());
  close.setAttribute("aria-label", "Close");
  const words = same === 1 ? "1 setting is the same in both." : `${same} settings are the same in both.`;
  $("compare").replaceChildren(close, make("div", { className: "cg-past-pair" }, figure(one), figure(two)), make("table", { className: "cg-past-differ" }, make("tbody", {}, ...rows)), make("p", { className: "cg-info", textContent: same ? words : "" }));
  $("compare").showModal();
  close.focus();
}

$("select").addEventListener("click", () => {
  if ($("select").ariaPressed === "true") return clearChosen();
  $("select").ariaPressed = "true";
  showChosen();
});
