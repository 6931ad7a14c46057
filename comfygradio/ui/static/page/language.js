// Everything here is English, though Gradio says that the page is in the visitor's language.

/** Say so from now on. */
export function keepLanguage() {
  const page = document.documentElement;
  function say() {
    if (page.lang !== "en") page.lang = "en";
  }

  new MutationObserver(say).observe(page, { attributeFilter: ["lang"] });
  say();
}
