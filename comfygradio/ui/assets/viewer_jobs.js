// The jobs that were begun together or while others ran: a chip for each, where there is more than one.
const describeChip = (one) => {
  if (one.phase === "waiting") return one.place > 0 ? one.place + " before it" : "Waiting";
  if (one.phase === "running") return one.percent + " %";
  return { done: "Done", stopped: "Stopped", failed: "Not finished" }[one.phase];
};

function paintChips(jobs, shown, choose, stop) {
  const row = $("chips");
  row.hidden = jobs.length < 2;
  if (row.hidden) {
    row.replaceChildren();
    return;
  }
  const there = new Map([...row.children].map((chip) => [chip.dataset.token, chip]));
  const chips = jobs.map((one, index) => there.get(one.token) ?? makeChip(one, index + 1, choose, stop));
  if (chips.length !== there.size || chips.some((chip, index) => row.children[index] !== chip)) row.replaceChildren(...chips);
  jobs.forEach((one, index) => paintChip(chips[index], one, one.token === shown));
}

function makeChip(one, number, choose, stop) {
  const pick = make("button", { type: "button", className: "cg-chip-pick" });
  const cancel = make("button", { type: "button", className: "cg-chip-stop", textContent: "×" });
  pick.onclick = () => choose(one.token);
  cancel.onclick = () => stop(one.token);
  cancel.setAttribute("aria-label", `Stop picture ${number}`);
  const chip = make("li", { className: "cg-chip" }, pick, cancel);
  chip.dataset.token = one.token;
  chip.dataset.number = number;
  return chip;
}

function paintChip(chip, one, isShown) {
  const [pick, cancel] = chip.children, words = describeChip(one);
  chip.dataset.phase = one.phase;
  pick.setAttribute("aria-pressed", isShown);
  pick.setAttribute("aria-label", `Picture ${chip.dataset.number}: ${words}`);
  pick.title = one.title;
  cancel.hidden = isOver(one);
  const wanted = one.picture ? "picture " + one.picture : words;
  if (pick.dataset.shows === wanted) return;
  pick.dataset.shows = wanted;
  const picture = one.picture ? make("img", { src: link(one.picture), alt: "" }) : words;
  pick.replaceChildren(picture);
}
