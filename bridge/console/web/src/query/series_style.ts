/** How a series is told from the others: by colour, and after eight of them by its dashes too. */

const COLOURS = 8;
const DASHES: readonly number[][] = [[], [8, 4], [2, 3], [10, 3, 2, 3]];

/** The style sheet's colour of a series, for what the style sheet draws. */
export function colourName(at: number): string {
  return `var(--series-${at % COLOURS})`;
}

/** The same as a value, for what is drawn on a canvas. */
export function colour(at: number): string {
  return themed(`--series-${at % COLOURS}`);
}

export function dash(at: number): number[] {
  return DASHES[Math.floor(at / COLOURS) % DASHES.length] ?? [];
}

/** A value of the theme that is shown now. */
export function themed(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
