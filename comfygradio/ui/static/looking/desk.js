// What the strip, the large view and the list of choices share.

/** @import { Asking } from "../library/asking.js" */
/** @import { OpenJob } from "../history/job.js" */
/** @import { Target } from "../library/picture_targets.js" */
/** @import { Slide } from "./slides.js" */

/**
 * @typedef {object} Desk
 * @property {Asking} asking
 * @property {(text: string) => void} say says something in passing
 * @property {(token: string) => Promise<OpenJob | null>} read finds the settings of a job; null, with
 *   a word to people, if it is not there
 * @property {(slide: Slide, target: Target) => void} use puts a picture into a form
 */

export {};
