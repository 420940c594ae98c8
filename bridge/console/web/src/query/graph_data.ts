/** From a range query's rows to columns on a common time axis, and stacked sums of them. */

import { drawnSamples, type MatrixRow } from "../results";

/** Seconds on the x axis, and for each series a value or a gap at each of them. */
export interface GraphData {
  times: number[];
  columns: (number | null)[][];
}

/** What a range query asks, all in seconds. */
export interface Span {
  start: number;
  end: number;
  step: number;
}

/** Infinite values are gaps: no axis reaches them. */
export function graphData(rows: readonly MatrixRow[], { start, end, step }: Span): GraphData {
  const steps = Math.floor((end - start) / step + 1e-6) + 1;
  const times = Array.from({ length: steps }, (_, at) => start + at * step);
  const columns = rows.map((row) => {
    const column: (number | null)[] = new Array(steps).fill(null);
    for (const [time, text] of drawnSamples(row)) {
      const value = Number.parseFloat(text);
      if (Number.isFinite(value)) column[Math.round((time - start) / step)] = value;
    }
    return column;
  });
  return { times, columns };
}

/** Each shown column on top of the shown ones before it; a gap counts as nothing. */
export function stacked(
  columns: readonly (number | null)[][],
  isShown: (at: number) => boolean,
): (number | null)[][] {
  const sums = new Array<number>(columns[0]?.length ?? 0).fill(0);
  return columns.map((column, at) => {
    if (!isShown(at)) return column;
    return column.map((value, step) => {
      const sum = (sums[step] ?? 0) + (value ?? 0);
      sums[step] = sum;
      return sum;
    });
  });
}
