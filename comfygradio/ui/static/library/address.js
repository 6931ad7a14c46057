// Addresses of the app. Relative ones would be taken as relative to Gradio's scripts.

/**
 * The whole address of what is at this path below the app's root.
 *
 * Gradio names the root. Only its path counts: the page itself came from the app, and a proxy may
 * not have told the app the scheme that people use.
 *
 * @param {string} path
 */
export function link(path) {
  const named = globalThis.gradio_config?.root ?? location.pathname;
  const root = new URL(named, location.origin).pathname.replace(/\/?$/, "/");
  return new URL(path, location.origin + root).href;
}

/**
 * The address of a file that was uploaded. Its name may have signs that mean something in addresses.
 *
 * @param {string} path of the file on the app's machine
 */
export function linkUpload(path) {
  const parts = path.split("/").map(encodeURIComponent);
  return link(`gradio_api/file=${parts.join("/")}`);
}
