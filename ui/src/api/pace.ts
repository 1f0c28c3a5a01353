/** How much is asked for at once, and how often. */

export const PAGE = 100;

/** Milliseconds between two looks at what can change by itself. */
export const LIVE = 2000;
export const STEADY = 10_000;

/** After so many looks at what may have changed, all members are asked for. */
export const LOOKS = 6;

/** Milliseconds between two looks at members: the more there are, the rarer. */
export const pace = (members: number, live: boolean) => Math.max(live ? LIVE : STEADY, members * (live ? 5 : 20));
