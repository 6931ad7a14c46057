// The random id by which the app knows a browser's person where nobody logs in.
function readPerson() {
  const KEY = "comfygradio.person";
  const invent = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const known = storage.readText("all", KEY);
  if (/^[0-9a-f]{32}$/.test(known)) return known;
  const id = invent();
  storage.keepText("all", KEY, id);   // where storage is off, a person until the page is closed
  return id;
}
