const box = window.comfygradioCombobox({
  label: "Add an embedding", shown: "", total: 0,
  search: (query) => server.search([query]),
  pick: (name) => { insert("embedding:" + name); box.show(""); box.input.value = ""; },
});
box.input.placeholder = "Add an embedding";
element.querySelector(".cg-body").append(box.root);

function insert(word) {
  const field = document.querySelector("#" + props.field + " textarea");
  if (!field) return;
  const at = field.selectionEnd ?? field.value.length;
  const before = field.value.slice(0, at), after = field.value.slice(at);
  const glue = before && !/\s$/.test(before) ? (/[,\n]\s*$/.test(before) ? " " : ", ") : "";
  Object.getOwnPropertyDescriptor(Object.getPrototypeOf(field), "value").set.call(field, before + glue + word + after);
  field.dispatchEvent(new Event("input", { bubbles: true }));
}
