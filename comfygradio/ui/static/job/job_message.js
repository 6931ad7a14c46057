// What the app tells a tab about its jobs.

/**
 * One of the jobs of a tab, in brief.
 *
 * @typedef {object} JobBrief
 * @property {string} token the job's secret
 * @property {string} title
 * @property {string} phase
 * @property {number} percent
 * @property {number} place how many jobs come before it; 0 if nobody knows
 * @property {string} picture the address of its first picture; "" if there is none
 */

/**
 * A result of a job. Texts have no address; neither has what could not be fetched.
 *
 * @typedef {object} Result
 * @property {string} kind "image", "video", "audio", "text" or another
 * @property {string} text
 * @property {string} name of the file
 * @property {string} url the address of the original
 * @property {string} display the address of the copy to show
 * @property {number | null} width in pixels
 * @property {number | null} height
 * @property {boolean} partial whether it is a picture that was not finished
 */

/**
 * A message: the job that the tab shows in full, and all of its jobs in brief.
 *
 * @typedef {object} Message
 * @property {string} token
 * @property {string} preset
 * @property {string} title
 * @property {string} summary the prompt, shortened; "" if there is none
 * @property {string} phase
 * @property {number} percent
 * @property {string} line what is being done
 * @property {boolean} told whether the line is a node's own text
 * @property {boolean} silent whether the server does not answer
 * @property {string} detail the node that runs, for those who know the workflow
 * @property {string} left the time that is left, in words
 * @property {string[]} warnings
 * @property {string} headline what went wrong, for everybody; "" if nothing did
 * @property {string} error more about it
 * @property {boolean} refused whether ComfyUI refused values of the form
 * @property {string} seed as text, since it may be too large for a number
 * @property {number} seconds how long it has run
 * @property {Result[]} results
 * @property {string[]} layoutNotes what is to be told of the workflow that the results carry
 * @property {string} smaller a size that may help if memory ran out, "WIDTHxHEIGHT"; "" if none
 * @property {boolean} favourite
 * @property {JobBrief[]} jobs
 * @property {number} version
 * @property {number} frames
 * @property {number} ended
 * @property {string} [image] the newest preview as a data URI
 * @property {string} [stream] the secret of the stream that it came by
 * @property {number} [number] its number in that stream
 * @property {boolean} [ask] whether the app has no stream for this tab, which has to ask instead
 * @property {string[]} [unknown] the tokens that the tab asked for and the app does not know
 * @property {boolean} [gone] whether the app does not know the job; then nothing else is there
 */

export {};
