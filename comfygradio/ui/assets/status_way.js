// Tells operators' pages the secret that the Status page needs, and shows them the way to it.
let token = "";

function tell() {
  const isOpen = !!token && document.documentElement.dataset.cgPage === "status";
  window.dispatchEvent(new CustomEvent("comfygradio-status", { detail: { token, isOpen } }));
}

function admit() {
  token = props.value?.token ?? "";
  if (token) window.dispatchEvent(new Event("comfygradio-operator"));
  tell();
}

window.addEventListener("comfygradio-page", tell);
watch("value", admit);
admit();
