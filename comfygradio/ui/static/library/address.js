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
