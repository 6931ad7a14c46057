// The phases of a job.

const FINAL_PHASES = ["done", "failed", "stopped"];

/**
 * Whether a job is over.
 *
 * @param {{ phase: string }} job
 */
export function isOver(job) {
  return FINAL_PHASES.includes(job.phase);
}
