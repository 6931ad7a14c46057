// The random id by which the app knows a browser's person where nobody logs in.
function readPerson() {
  const KEY = "comfygradio.person";
  const invent = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  try {
    const known = localStorage.getItem(KEY);
    if (/^[0-9a-f]{32}$/.test(known)) return known;
    const id = invent();
    localStorage.setItem(KEY, id);
    return id;
  } catch { /* storage is off: a person until the page is closed */ }
  return (window.comfygradioPerson ??= invent());
}
