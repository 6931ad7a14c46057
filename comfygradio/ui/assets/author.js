const body = element.querySelector(".cg-body");
const make = (tag, attributes = {}, ...children) => {
  const node = Object.assign(document.createElement(tag), attributes);
  node.append(...children);
  return node;
};
const say = (className, text) => make("p", { className, textContent: text });
const list = (texts) => make("ul", {}, ...texts.map((text) => make("li", { textContent: text })));
const fold = (summary, ...children) => make("details", { className: "cg-adjusted" }, make("summary", { textContent: summary }), ...children);
