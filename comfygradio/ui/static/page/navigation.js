// Shows one of the pages beside the forms (the history, the author's, …) while the address names it.

/** @import { Part } from "../library/part.js" */

/** The links to the pages; null before they are drawn. @type {HTMLElement | null} */
let nav = null;

/** The pages whose links are hidden at first, and are shown to whoever uses this browser page. */
const revealed = new Set();

/** @param {string} name */
function findLink(name) {
  /** @type {HTMLElement | null | undefined} */
  const link = nav?.querySelector(`a[data-page="${name}"]`);
  return link;
}

/** The names of the pages in addresses. */
function listPages() {
  if (!nav) return [];
  /** @type {NodeListOf<HTMLElement>} */
  const links = nav.querySelectorAll("a[data-page]");
  const names = [...links].map((link) => link.dataset.page ?? "");
  return names.filter((name) => name !== "");
}

function show() {
  const { searchParams } = new URL(location.href);
  const isNamed = (/** @type {string} */ name) => searchParams.has(name) && !findLink(name)?.hidden;
  const name = listPages().find(isNamed) ?? "";
  if (name) document.documentElement.dataset.cgPage = name;
  else delete document.documentElement.dataset.cgPage;
  window.dispatchEvent(new CustomEvent("comfygradio-page", { detail: { name } }));
}

/**
 * Go to a page, or with "" to the forms.
 *
 * @param {string} name
 * @param {string} value of the page's name in the address
 * @param {Record<string, string>} more further parts of the address
 * @param {boolean} isSame whether the new address takes the place of the old one in the browser's
 *   history
 */
export function go(name, value = "1", more = {}, isSame = false) {
  const url = new URL(location.href);
  for (const page of listPages()) url.searchParams.delete(page);
  if (name) url.searchParams.set(name, value);
  for (const [key, text] of Object.entries(more)) url.searchParams.set(key, text);
  if (isSame) history.replaceState({}, "", url);
  else history.pushState({}, "", url);
  show();
  scrollTo(0, 0);
}

/**
 * Show the link to a page that is hidden at first, and the page itself if the address names it.
 *
 * @param {string} name
 */
export function reveal(name) {
  revealed.add(name);
  const link = findLink(name);
  if (!link) return;
  link.hidden = false;
  if (new URL(location.href).searchParams.has(name)) show();
}

/**
 * Say who has logged in, if anybody has.
 *
 * @param {HTMLElement} element
 */
function tellLogin(element) {
  /** @type {HTMLElement | null} */
  const place = element.querySelector(".cg-login");
  const name = window.gradio_config?.username;
  if (!place || !name) return;
  place.textContent = `Logged in as ${name}`;
  place.title = name;
  place.hidden = false;
}

/**
 * Follow the links of the part, and show the page that the address names.
 *
 * @param {Part} part
 */
export function mount({ element }) {
  nav = element;
  tellLogin(element);
  for (const name of revealed) {
    const link = findLink(name);
    if (link) link.hidden = false;
  }
  /** @type {NodeListOf<HTMLElement>} */
  const links = element.querySelectorAll("a[data-page]");
  for (const link of links) {
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      go(link.dataset.page ?? "");
    });
  }
  window.addEventListener("popstate", show);
  show();
}
