const body = element.querySelector(".cg-body");
element.querySelector(".cg-label").textContent = props.title;
element.querySelector(".cg-info").textContent = props.info;
element.querySelector(".cg-info").hidden = !props.info;
const make = (tag, attributes, ...children) => {
  const node = Object.assign(document.createElement(tag), attributes);
  node.append(...children);
  return node;
};
const put = (value) => { props.value = value; trigger("change"); };
