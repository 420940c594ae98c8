/** The chart itself: uPlot with our colours, a tooltip, and dragging to zoom. */

import uPlot from "uplot";
import { short } from "../numbers";
import type { MatrixRow } from "../results";
import { formatMoment } from "../time";
import { type GraphData, stacked } from "./graph_data";
import { colour, dash, themed } from "./series_style";
import { tooltip } from "./tooltip";

export interface ChartOptions {
  rows: readonly MatrixRow[];
  data: GraphData;
  stack: boolean;
  localTime: boolean;
  /** Which series are drawn, by their place. */
  shown: ReadonlySet<number>;
  /** Told of a span that was dragged over, in seconds. */
  onZoom: (start: number, end: number) => void;
}

const HEIGHT = 360;
const NEAR = 24; // px from a line within which the pointer means it
const FONT = "12px system-ui, sans-serif";
const FILL = "33"; // alpha of the area below a line
const LEAST_DRAG = 4; // px

/** Draws into `place`; destroy the chart before drawing another. */
export function chart(place: HTMLElement, options: ChartOptions): uPlot {
  const { data, shown, stack } = options;
  const columns = stack ? stacked(data.columns, (at) => shown.has(at)) : data.columns;
  const plot = new uPlot(
    settings(place, options),
    [data.times, ...columns] as uPlot.AlignedData,
    place,
  );
  return plot;
}

function settings(place: HTMLElement, options: ChartOptions): uPlot.Options {
  const { rows, data, stack, localTime, shown, onZoom } = options;
  const lone = data.times.length === 1;
  return {
    width: place.clientWidth,
    height: HEIGHT,
    padding: [12, 12, 0, 0],
    legend: { show: false },
    tzDate: (time) =>
      localTime ? new Date(time * 1e3) : uPlot.tzDate(new Date(time * 1e3), "Etc/UTC"),
    scales: { x: { time: true }, y: { range: yRange(stack) } },
    axes: [
      axis({ space: 80, values: (_, ticks) => timeTexts(ticks, localTime) }),
      axis({ size: 64, values: (_, ticks) => ticks.map(short) }),
    ],
    cursor: {
      drag: { x: true, y: false, setScale: false },
      focus: { prox: NEAR },
      points: { size: 7 },
    },
    focus: { alpha: 0.3 },
    series: [
      {},
      ...rows.map((_, at): uPlot.Series => {
        const stroke = colour(at);
        return {
          show: shown.has(at),
          stroke,
          width: 1.6,
          dash: dash(at),
          points: { show: lone || isSparse(data.columns[at] ?? []), size: 5 },
          ...(stack ? { fill: stroke + FILL } : {}),
        };
      }),
    ],
    ...(stack ? { bands: bands(rows.length, shown) } : {}),
    plugins: [tooltip(rows, data, localTime)],
    hooks: {
      setSelect: [
        (plot) => {
          const { left, width } = plot.select;
          if (width < LEAST_DRAG) return;
          onZoom(plot.posToVal(left, "x"), plot.posToVal(left + width, "x"));
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        },
      ],
    },
  };
}

/** The y axis takes in all values, with room; a stack begins at 0. */
function yRange(stack: boolean): uPlot.Range.Function {
  return (_, least, most) => {
    if (least == null || most == null) return [0, 1];
    const [low, high] = stack ? [Math.min(least, 0), Math.max(most, 0)] : [least, most];
    if (low === high)
      return low === 0 ? [-1, 1] : [low - Math.abs(low) / 2, high + Math.abs(high) / 2];
    const room = (high - low) * 0.06;
    return [stack && low === 0 ? 0 : low - room, high + room];
  };
}

function axis(own: Partial<uPlot.Axis>): uPlot.Axis {
  const line = { stroke: themed("--grid"), width: 1 };
  return {
    stroke: themed("--text-quiet"),
    font: FONT,
    grid: line,
    ticks: { ...line, size: 5 },
    ...own,
  };
}

/** Times of day, with the date below the first and wherever it changes. */
function timeTexts(ticks: number[], localTime: boolean): string[] {
  const texts = ticks.map((tick) => formatMoment(tick * 1000, localTime));
  const seconds = texts.some((text) => !text.endsWith(":00"));
  const days = texts.every((text) => text.endsWith("00:00:00"));
  return texts.map((text, at) => {
    const [date = "", clock = ""] = text.split(" ");
    if (days) return date;
    const newDate = at === 0 || !texts[at - 1]?.startsWith(date);
    return (seconds ? clock : clock.slice(0, 5)) + (newDate ? `\n${date}` : "");
  });
}

/** Each shown series is filled down to the shown one below it. */
function bands(count: number, shown: ReadonlySet<number>): uPlot.Band[] {
  const places = Array.from({ length: count }, (_, at) => at).filter((at) => shown.has(at));
  return places.slice(1).map((at, below) => ({ series: [at + 1, (places[below] ?? 0) + 1] }));
}

/** Whether a column has a value that no line leads to. */
function isSparse(column: readonly (number | null)[]): boolean {
  return column.some(
    (value, at) =>
      value !== null && (column[at - 1] ?? null) === null && (column[at + 1] ?? null) === null,
  );
}
