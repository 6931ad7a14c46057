// Downloads: everything as the grid is laid out now.
const FORMATS = [["png", "Contact sheet (PNG)"], ["webp", "Contact sheet (WebP)"], ["html", "Web page (HTML)"], ["csv", "Table (CSV)"], ["json", "Data (JSON)"], ["zip", "All files (ZIP)"]];

function drawDownloads() {
  const list = make("select", { className: "cg-box cg-sweep-save" }, make("option", { value: "", textContent: "Download …" }), ...FORMATS.map(([value, text]) => make("option", { value, textContent: text })));
  list.setAttribute("aria-label", "Download");
  list.addEventListener("change", async () => { const format = list.value; list.value = ""; if (format) { list.disabled = true; await download(format); list.disabled = false; } });
  return list;
}

async function download(format) {
  announce("One moment, the file is being made …");
  const ready = await call("news", { token: sweep.token, since: sweep.version });   // the access is fresh after this
  if (ready.error) return;
  const body = new FormData();
  for (const [name, value] of Object.entries({ access, token: sweep.token, format, layout: JSON.stringify(layout) })) body.set(name, value);
  try {
    const answer = await fetch(link("gradio_api/comfygradio/sweep"), { method: "POST", body });
    if (!answer.ok) return announce(await answer.text());
    const name = /filename\*=UTF-8''([^;]+)/.exec(answer.headers.get("content-disposition") ?? "")?.[1];
    const href = URL.createObjectURL(await answer.blob()), anchor = make("a", { href, download: decodeURIComponent(name ?? `sweep.${format}`) });
    element.append(anchor);
    anchor.click();
    anchor.remove();
    setTimeout(() => URL.revokeObjectURL(href), 10000);
    announce("");
  } catch { announce(AWAY); }
}
