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

/** Which series of which answer the user wants to see; of a new one all are shown. */
interface Chosen {
  rows: MatrixRow[];
  shown: ReadonlySet<number>;
}

export function GraphView({ rows, span, display, onZoom }: Props) {
  const { localTime } = useSettings();
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const everything = useMemo(() => new Set(rows.keys()), [rows]);
  const [chosen, setChosen] = useState<Chosen | null>(null);
  const shown = chosen?.rows === rows ? chosen.shown : everything;
  const [theme, setTheme] = useState(0);
  const data = useMemo(() => graphData(rows, span), [rows]);
  const zoom = useRef(onZoom);
  zoom.current = onZoom;

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
        onChange={(shown) => setChosen({ rows, shown })}
        onPoint={(at) => plot.current?.setSeries(at === null ? null : at + 1, { focus: true })}
      />
    </>
  );
}

function spoken(rows: MatrixRow[], { start, end }: Span, localTime: boolean): string {
  const from = formatMoment(start * 1000, localTime);
  return `Graph of ${plural(rows.length, "series")} from ${from} to ${formatMoment(end * 1000, localTime)}`;
}
