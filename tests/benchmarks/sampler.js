// Runs in the measured page before its own scripts. Looks at every animation frame what stands on the screen.
(() => {
  const blobs = new Map(), make = URL.createObjectURL.bind(URL);
  URL.createObjectURL = (object) => { const url = make(object); blobs.set(url, object); return url; };

  let seen = "", old = null;
  const bench = window.bench = { shown: [], final: 0, hidden: false };
  const ready = (image) => image.complete && image.naturalWidth > 0 && image.offsetParent !== null;

  bench.restart = () => {
    bench.shown = [];
    bench.final = 0;
    old = document.querySelector(".cg-card img");
  };

  const sample = () => {
    const now = performance.timeOrigin + performance.now();
    const frame = document.querySelector("img.cg-frame"), picture = document.querySelector(".cg-card img");
    if (frame && frame.getAttribute("src") && frame.src !== seen && ready(frame)) {
      seen = frame.src;
      bench.shown.push({ at: now, source: blobs.get(seen) ?? seen });
      for (const url of blobs.has(seen) ? blobs.keys() : []) {   // older ones never will be shown; newer ones are being decoded
        blobs.delete(url);
        if (url === seen) break;
      }
    }
    if (!bench.final && picture && picture !== old && ready(picture)) bench.final = now;
    requestAnimationFrame(sample);
  };
  requestAnimationFrame(sample);

  const digest = async (source) => {
    const blob = typeof source === "string" ? await (await fetch(source)).blob() : source;
    const hash = await crypto.subtle.digest("SHA-256", await blob.arrayBuffer());
    return [...new Uint8Array(hash)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  };
  bench.frames = () => Promise.all(bench.shown.map(async ({ at, source }) => ({ at, digest: await digest(source) })));

  // A tab in the background, as the page can tell: headless browsers call every tab visible.
  Object.defineProperty(document, "hidden", { get: () => bench.hidden });
  Object.defineProperty(document, "visibilityState", { get: () => (bench.hidden ? "hidden" : "visible") });
  bench.hide = (hidden) => {
    bench.hidden = hidden;
    document.dispatchEvent(new Event("visibilitychange"));
  };

  const until = async (done, started) => {
    while (!done()) {
      if (performance.now() - started > 15000) return Infinity;
      await new Promise((resume) => setTimeout(resume, 4));
    }
    return performance.now() - started;
  };
  const visible = (selector) => !!document.querySelector(selector)?.offsetParent;

  bench.choose = (name) => {
    const started = performance.now();
    document.querySelector(`#cg-chooser input[value="${name}"]`).click();
    return until(() => visible("#cg-panel-" + name), started);
  };

  const shownIn = (place) => [...document.querySelectorAll(place + " img")].some(ready);

  bench.upload = async (place) => {
    document.querySelector(place + ' button[aria-label="Remove Image"]')?.click();
    await until(() => !shownIn(place) && document.querySelector(place + " input[type=file]"), performance.now());
    const canvas = Object.assign(document.createElement("canvas"), { width: 256, height: 256 });
    const paint = canvas.getContext("2d"), noise = paint.createImageData(256, 256);
    noise.data.set(noise.data.map((_, index) => (index % 4 === 3 ? 255 : 256 * Math.random())));
    paint.putImageData(noise, 0, 0);
    const blob = await new Promise((resolve) => canvas.toBlob(resolve));
    const files = new DataTransfer();
    files.items.add(new File([blob], "noise.png", { type: "image/png" }));
    const input = document.querySelector(place + " input[type=file]"), started = performance.now();
    input.files = files.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
    return until(() => shownIn(place), started);
  };
})();
