// Addresses of the app. Relative ones would be taken as relative to Gradio's scripts.

/**
 * The whole address of what is at this path below the app's root, which may have a path itself.
 *
 * @param {string} path
 */
export function link(path) {
  const root = globalThis.gradio_config?.root ?? location.origin + location.pathname;
  return new URL(path, root.replace(/\/?$/, "/")).href;
}
