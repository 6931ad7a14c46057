// Shows one of the pages beside the forms (the author's, the history, …) while the address names it.
const links = [...element.querySelectorAll("a[data-page]")], html = document.documentElement;
const names = links.map((link) => link.dataset.page).filter(Boolean);
const may = (name) => !element.querySelector(`a[data-page="${name}"]`).hidden;

function show() {
  const { searchParams } = new URL(location.href);
  const name = names.find((one) => searchParams.has(one) && may(one)) ?? "";
  if (name) html.dataset.cgPage = name;
  else delete html.dataset.cgPage;
  window.dispatchEvent(new CustomEvent("comfygradio-page", { detail: { name } }));
}

// Go to a page, or with "" to the forms; `more` are further parts of the address. With `isSame` the new address takes the place of the old one in the browser's history.
window.comfygradioGo = (name, value = "1", more = {}, isSame = false) => {
  const url = new URL(location.href);
  for (const one of names) url.searchParams.delete(one);
  for (const [one, text] of Object.entries({ ...(name && { [name]: value }), ...more })) url.searchParams.set(one, text);
  history[isSame ? "replaceState" : "pushState"]({}, "", url);
  show();
  scrollTo(0, 0);
};

for (const link of links)
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    window.comfygradioGo(link.dataset.page);
  });
window.addEventListener("popstate", show);
function reveal(name) {
  element.querySelector(`a[data-page="${name}"]`).hidden = false;
  if (new URL(location.href).searchParams.has(name)) show();
}

window.addEventListener("comfygradio-operator", () => reveal("status"));
window.addEventListener("comfygradio-author", () => reveal("new"));
show();
