// The random id by which the app knows a browser's person where nobody logs in.

import { keepText, readText } from "./storage.js";

const KEY = "comfygradio.person";

/** Read the id; where storage is off, there is a new one for each page. */
export function readPerson() {
  const known = readText("all", KEY) ?? "";
  if (/^[0-9a-f]{32}$/.test(known)) return known;
  const id = invent();
  keepText("all", KEY, id);
  return id;
}

function invent() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const digits = [...bytes].map((byte) => byte.toString(16).padStart(2, "0"));
  return digits.join("");
}
