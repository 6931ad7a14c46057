// Everything here is English, though Gradio says that the page is in the visitor's language.
(() => {
  const page = document.documentElement;
  const say = () => { if (page.lang !== "en") page.lang = "en"; };
  new MutationObserver(say).observe(page, { attributeFilter: ["lang"] });
  say();
})();
