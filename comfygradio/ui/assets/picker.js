const box = window.comfygradioCombobox({
  label: props.title, shown: props.shown, total: props.total,
  search: (query) => server.search([query]),
  pick: (value, name) => { names.set(value, name); put(value); },
});
const names = new Map([[props.value, props.shown]]);
body.append(box.root);
watch("value", () => box.show(names.get(props.value) ?? String(props.value ?? "")));
