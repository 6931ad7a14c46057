// Shows the sweeps in the place of the forms while the address says so.
const there = element.querySelector(".cg-sweep-there"), back = element.querySelector(".cg-sweep-back");
document.querySelector("#cg-history-way nav")?.prepend(there);   // beside the other ways, in one line

function show() {
  const { searchParams } = new URL(location.href);
  const isOpen = searchParams.has("sweep") && !["new", "history"].some((other) => searchParams.has(other));
  document.documentElement.toggleAttribute("data-cg-sweep", isOpen);
}

function go(place) {
  const url = new URL(location.href);
  for (const other of ["history", "new", "status", "sweep"]) url.searchParams.delete(other);
  if (place) url.searchParams.set("sweep", place);
  history.pushState({}, "", url);
  window.dispatchEvent(new Event("comfygradio-sweep"));
  scrollTo(0, 0);
}

for (const [link, place] of [[there, "all"], [back, ""]])
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    go(place);
  });
window.addEventListener("popstate", show);
window.addEventListener("comfygradio-sweep", show);
show();
