const names = new Map([[props.initial, props.shown]]);
const nameValue = () => names.get(props.value) ?? String(props.value ?? "");
const box = window.comfygradioCombobox({
  label: props.title, shown: nameValue(), total: props.total,   // a form that is shown again has the value of before
  search: (query) => server.search([query]),
  pick: (value, name) => { names.set(value, name); put(value); },
});
body.append(box.root);
watch("value", () => box.show(nameValue()));
