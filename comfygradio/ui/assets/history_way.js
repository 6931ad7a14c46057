// Shows the history in the place of the forms while the address says so.
function show() {
  const { searchParams } = new URL(location.href);
  const isOpen = searchParams.has("history") && !searchParams.has("new");
  document.getElementById("cg-history-way").toggleAttribute("data-open", isOpen);
  document.documentElement.toggleAttribute("data-cg-history", isOpen);
}

function go(isOpen) {
  const url = new URL(location.href);
  if (isOpen) url.searchParams.set("history", "1");
  else url.searchParams.delete("history");
  history.pushState({}, "", url);
  window.dispatchEvent(new Event("comfygradio-history"));
  scrollTo(0, 0);
}

for (const [name, isOpen] of [[".cg-history-there", true], [".cg-history-back", false]])
  element.querySelector(name).addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    go(isOpen);
  });
window.addEventListener("popstate", show);
window.addEventListener("comfygradio-history", show);
show();
