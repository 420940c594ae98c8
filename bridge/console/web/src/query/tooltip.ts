/** The box beside the pointer that tells which series is nearest, and its value there. */

import type uPlot from "uplot";
import { type MatrixRow, nameAndLabels } from "../results";
import { formatMoment } from "../time";
import type { GraphData } from "./graph_data";
import { colourName } from "./series_style";

const GAP = 14; // px between pointer and box

export function tooltip(
  rows: readonly MatrixRow[],
  data: GraphData,
  localTime: boolean,
): uPlot.Plugin {
  const box = document.createElement("div");
  box.className = "tooltip";
  box.hidden = true;
  return {
    hooks: {
      init: (plot) => void plot.over.append(box),
      setCursor: (plot) => {
        const { idx, left = -1, top = -1 } = plot.cursor;
        const near = idx == null || left < 0 ? null : nearest(plot, idx, top);
        box.hidden = near === null;
        if (near === null || idx == null) return;
        const value = data.columns[near]?.[idx] ?? null;
        fill(box, rows[near] as MatrixRow, near, value, time(data, idx, localTime));
        place(box, plot.over, left, top);
      },
    },
  };
}

function time(data: GraphData, idx: number, localTime: boolean): string {
  const text = formatMoment((data.times[idx] ?? 0) * 1000, localTime);
  return localTime ? text : `${text} UTC`;
}

/** The drawn series whose line passes nearest to `top` at a step. */
function nearest(plot: uPlot, idx: number, top: number): number | null {
  let best: number | null = null;
  let distance = Number.POSITIVE_INFINITY;
  plot.series.forEach((series, at) => {
    const value = at > 0 && series.show ? plot.data[at]?.[idx] : null;
    if (value == null) return;
    const away = Math.abs(plot.valToPos(value, "y") - top);
    if (away < distance) {
      best = at - 1;
      distance = away;
    }
  });
  return best;
}

function fill(box: HTMLElement, row: MatrixRow, at: number, value: number | null, when: string) {
  const [name, labels] = nameAndLabels(row.metric);
  const head = element("div", "tooltip-value", value === null ? "no value" : String(value));
  const dot = element("span", "swatch");
  dot.style.background = colourName(at);
  head.prepend(dot);
  const list = element("dl");
  for (const [label, held] of labels) {
    list.append(element("dt", "", label), element("dd", "", held));
  }
  box.replaceChildren(
    element("div", "at", when),
    head,
    ...(name ? [element("div", "metric-name", name)] : []),
    list,
  );
}

function element(tag: string, className = "", text = ""): HTMLElement {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

/** Beside the pointer, on the side that has room. */
function place(box: HTMLElement, over: HTMLElement, left: number, top: number) {
  const right = left + GAP + box.offsetWidth <= over.clientWidth;
  const x = right ? left + GAP : Math.max(left - GAP - box.offsetWidth, 0);
  const y = Math.max(Math.min(top + GAP, over.clientHeight - box.offsetHeight), 0);
  box.style.transform = `translate(${Math.round(x)}px, ${Math.round(y)}px)`;
}
