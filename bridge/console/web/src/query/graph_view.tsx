/** A range query's rows as a chart with its legend. */

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type uPlot from "uplot";
import { plural } from "../numbers";
import type { MatrixRow } from "../results";
import { formatMoment } from "../time";
import { onThemeChange, useSettings } from "../ui/settings";
import { chart } from "./chart";
import { graphData, type Span } from "./graph_data";
import { Legend } from "./legend";
import type { Display } from "./panel_state";

interface Props {
  rows: MatrixRow[];
  span: Span;
  display: Display;
  onZoom: (start: number, end: number) => void;
}

export function GraphView({ rows, span, display, onZoom }: Props) {
  const { localTime } = useSettings();
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [shown, setShown] = useState<ReadonlySet<number>>(() => everything(rows.length));
  const [theme, setTheme] = useState(0);
  const data = useMemo(() => graphData(rows, span), [rows]);
  const zoom = useRef(onZoom);
  zoom.current = onZoom;

  useEffect(() => setShown(everything(rows.length)), [rows]);
  useEffect(() => onThemeChange(() => setTheme((count) => count + 1)), []);
  useEffect(() => {
    const stack = display === "stacked";
    const onZoom = (start: number, end: number) => zoom.current(start, end);
    const options = { rows, data, stack, localTime, shown, onZoom };
    plot.current = chart(place.current as HTMLDivElement, options);
    return () => plot.current?.destroy();
  }, [data, display, localTime, shown, theme]);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => {
      const { current } = plot;
      if (current && entry) {
        current.setSize({ width: entry.contentRect.width, height: current.height });
      }
    });
    observer.observe(place.current as HTMLDivElement);
    return () => observer.disconnect();
  }, []);

  return (
    <>
      <div class="chart" ref={place} role="img" aria-label={spoken(rows, span, localTime)} />
      <Legend
        rows={rows}
        shown={shown}
        onChange={setShown}
        onPoint={(at) => plot.current?.setSeries(at === null ? null : at + 1, { focus: true })}
      />
    </>
  );
}

function everything(count: number): ReadonlySet<number> {
  return new Set(Array.from({ length: count }, (_, at) => at));
}

function spoken(rows: MatrixRow[], { start, end }: Span, localTime: boolean): string {
  const from = formatMoment(start * 1000, localTime);
  return `Graph of ${plural(rows.length, "series")} from ${from} to ${formatMoment(end * 1000, localTime)}`;
}
