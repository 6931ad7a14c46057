// Shows operators the way to the Status page, and that page in the place of the forms while the address says so.
const way = element.querySelector("nav"), link = element.querySelector(".cg-status-open"), back = element.querySelector(".cg-status-close");
let token = "";
document.querySelector("#cg-history-way nav")?.prepend(link);   // beside the other ways, in one line

function show() {
  const isOpen = !!token && new URL(location.href).searchParams.has("status");
  document.documentElement.toggleAttribute("data-cg-status", isOpen);
  window.dispatchEvent(new CustomEvent("comfygradio-status", { detail: { token, isOpen } }));
}

function go(isOpen) {
  const url = new URL(location.href);
  if (isOpen) url.searchParams.set("status", "1");
  else url.searchParams.delete("status");
  history.pushState({}, "", url);
  show();
  scrollTo(0, 0);
}

function admit() {
  token = props.value?.token ?? "";
  way.hidden = link.hidden = !token;
  show();
}

for (const [where, isOpen] of [[link, true], [back, false]])
  where.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    go(isOpen);
  });
window.addEventListener("popstate", show);
watch("value", admit);
admit();
