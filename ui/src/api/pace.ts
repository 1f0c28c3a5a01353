/** How much is asked for at once, and how often. */

export const PAGE = 100;

/** Milliseconds between two looks at what can change by itself. */
export const LIVE = 2000;
export const STEADY = 10_000;

/** Milliseconds between two looks at a proposal, which waits for people. */
export const WAITING = 30_000;

/** Milliseconds between two looks at a record that can't change any more: who may see what of it can. */
export const ENDED = 60_000;

/** Milliseconds between two looks at whether the scheduler is there, and at whether a conductor is. */
export const WATCH = 15_000;
