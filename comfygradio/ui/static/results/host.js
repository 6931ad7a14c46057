// What the results are shown for: the page of a sweep, or the file that it is exported as. Both
// show the same grid, cells and large view; what they know and can do differs.

/** @import { Child } from "../library/elements.js" */
/** @import { Cell, Result } from "./cell.js" */
/** @import { Layout } from "./layout.js" */
/** @import { Plan } from "./plan.js" */
/** @import { Axis } from "./space.js" */

/**
 * Where the files of results are. An address is "" where there is none.
 *
 * @typedef {object} Media
 * @property {(result: Result) => string} findFile
 * @property {(result: Result) => string} findLarge the picture for the large view
 * @property {(result: Result, pixels: number) => string} findSmall the picture for a cell that is
 *   so wide
 * @property {(result: Result) => string} findPoster a still picture of a video, which then loads
 *   only when it plays
 * @property {(picture: HTMLImageElement, result: Result) => void} mend is called where a picture
 *   did not load
 */

/**
 * How far a running cell is.
 *
 * @typedef {object} Live
 * @property {number} percent
 * @property {string} [frame] the newest preview, as an address
 */

/**
 * What a sweep gives that goes on while its results are looked at.
 *
 * @typedef {object} Progress
 * @property {(at: number) => Live | undefined} getLive
 * @property {(at: number) => void} retry tries a failed cell again
 */

/**
 * @typedef {object} Host
 * @property {string} title
 * @property {Axis[]} axes
 * @property {Layout} layout is changed in its place
 * @property {Media} media
 * @property {(part: string) => string} name names the class of a part
 * @property {string} sign stands between the title and the label of an axis where a cell is named
 * @property {"h2" | "h3"} heading of the large view
 * @property {string} nothingFits said where the layout shows no cell
 * @property {boolean} showsAll whether all of a cell can be had at once: how many results it has,
 *   each of them in large, and its sound
 * @property {(at: number) => Cell} getCell
 * @property {(cell: Cell) => string} nameState
 * @property {(at: number) => string} nameDialog names the large view of a cell
 * @property {(cell: Cell, result: Result | undefined) => string} explain says why there is nothing
 *   to show in large
 * @property {string} failedSilently said of a failed cell that does not say why
 * @property {() => number} findRatio of width and height of the cells
 * @property {() => number} readSize the width of the cells that is wished
 * @property {(size: number) => void} changeSize
 * @property {() => void} keepSize
 * @property {number} maxSize
 * @property {Progress | null} progress null where nothing changes any more
 * @property {() => void} keepLayout
 * @property {(plan: Plan) => void} planned is told of each plan of the grid
 * @property {(at: number, rating: number) => void} rate
 * @property {(at: number, result: Result | undefined) => string} nameFacts one line of the large
 *   view
 * @property {(at: number, result: Result | undefined) => Child[]} drawNotes what the large view
 *   says above the axes
 * @property {(at: number, result: Result | undefined) => Child[]} drawMore what it has below the
 *   rating
 */

export {};
