// What Gradio gives to a part of the page.

/**
 * What the `mount` of a part's module gets.
 *
 * @typedef {object} Part
 * @property {HTMLElement} element holds what the part's template says
 * @property {any} props what Python passed to `gr.HTML`, and `value`, which Python changes
 * @property {(event: string, data?: object) => void} trigger starts a listener of Python's
 * @property {(names: string | string[], changed: () => void) => void} watch calls `changed` when
 *   Python has changed one of these props
 * @property {Record<string, (data: any) => Promise<any>>} server the part's functions in Python
 * @property {(file: File) => Promise<{ path: string, url: string }>} upload sends a file to the app
 */

export {};
