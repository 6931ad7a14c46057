// Shows authors the way to their page.
function admit() {
  if (props.value?.author) window.dispatchEvent(new Event("comfygradio-author"));
}

watch("value", admit);
admit();
