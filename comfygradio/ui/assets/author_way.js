// Shows the author's page in the place of the forms while the address says so.
function show() {
  const isNew = new URL(location.href).searchParams.has("new");
  document.getElementById("cg-way").toggleAttribute("data-open", isNew);
  document.documentElement.toggleAttribute("data-cg-author", isNew);
}

function go(isNew) {
  const url = new URL(location.href);
  if (isNew) url.searchParams.set("new", "1");
  else url.searchParams.delete("new");
  history.pushState({}, "", url);
  show();
  scrollTo(0, 0);
}

for (const [name, isNew] of [[".cg-way-new", true], [".cg-way-back", false]])
  element.querySelector(name).addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    go(isNew);
  });
window.addEventListener("popstate", show);
show();
