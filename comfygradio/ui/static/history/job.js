// What the app says about the jobs of the history.

/** @import { Target } from "../library/picture_targets.js" */

/**
 * @typedef {object} Result
 * @property {string} kind "image", "video", "audio", "text" or another kind of file
 * @property {string} text of a result that is one
 * @property {string} name of its file
 * @property {string} url "" if there is no file
 * @property {string} display the address of a copy to show; "" if there is none
 * @property {number | null} width
 * @property {number | null} height
 * @property {boolean} partial whether the job had not come to its end
 * @property {string} problem why it was not fetched; "" if it was
 * @property {boolean} again whether it can be fetched again
 */

/**
 * @typedef {object} Job
 * @property {string} token
 * @property {string} preset
 * @property {string} title of its form
 * @property {string} text that sums it up, usually the prompt; "" if there is none
 * @property {number} created Unix time
 * @property {string} phase
 * @property {string} line what it does now
 * @property {number} percent how much of it is done
 * @property {string} frame the newest preview; "" if there is none
 * @property {number} seconds how long it took
 * @property {string} error "" if nothing went wrong
 * @property {boolean} favourite
 * @property {Result[]} results
 * @property {number} [secondsLeft] how long it stays in the trash, if it is there
 */

/**
 * A value of a job. Values can be searched for by `filter`, unless that is "".
 *
 * @typedef {{ name: string, label: string, text: string, filter: string }} Value
 */

/**
 * A job that is open.
 *
 * @typedef {Job & { values: Value[], canUse: boolean, hasLayout: boolean, layoutNotes: string[] }}
 *   OpenJob `layoutNotes` say what ComfyUI's page would post otherwise from the author's layout, or
 *   why it is not there.
 */

/**
 * Some of the jobs that were found. `next` asks for those after them; null if there are no more.
 *
 * @typedef {{ jobs: Job[], next: number | null }} Page
 */

/**
 * The first of the jobs that were found, and what the search bar and the open job offer.
 *
 * @typedef {Page & {
 *   presets: { name: string, title: string }[],
 *   sweeps: boolean,
 *   hasDeleted: boolean,
 *   targets: Target[],
 * }} FirstPage
 */

export {};
