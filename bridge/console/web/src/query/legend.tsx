/** The legend: a series' swatch switches it on and off, its name shows it alone. */

import { useState } from "preact/hooks";
import { count } from "../numbers";
import type { MatrixRow } from "../results";
import { seriesName } from "../results";
import { SeriesLabel } from "../ui/series_label";
import { colourName, dash } from "./series_style";

interface Props {
  rows: readonly MatrixRow[];
  shown: ReadonlySet<number>;
  onChange: (shown: ReadonlySet<number>) => void;
  /** Told which series the pointer is on. */
  onPoint: (at: number | null) => void;
}

const LISTED_AT_FIRST = 50;

export function Legend({ rows, shown, onChange, onPoint }: Props) {
  const [all, setAll] = useState(false);
  const listed = all ? rows : rows.slice(0, LISTED_AT_FIRST);

  function toggle(at: number) {
    const next = new Set(shown);
    if (!next.delete(at)) next.add(at);
    onChange(next);
  }

  function isolate(at: number) {
    const alone = shown.size === 1 && shown.has(at);
    onChange(alone ? new Set(rows.keys()) : new Set([at]));
  }

  return (
    <div class="legend">
      <ul onMouseLeave={() => onPoint(null)}>
        {listed.map((row, at) => (
          <li key={at} class={shown.has(at) ? "" : "off"} onMouseEnter={() => onPoint(at)}>
            <button
              type="button"
              class="swatch-button"
              aria-pressed={shown.has(at)}
              aria-label={`Draw ${seriesName(row.metric)}`}
              title="Switch on or off"
              onClick={() => toggle(at)}
            >
              <Swatch at={at} />
            </button>
            <button
              type="button"
              class="legend-name"
              title="Click: show it alone, or all again. Ctrl-click: switch on or off"
              onClick={(event) => (event.ctrlKey || event.metaKey ? toggle(at) : isolate(at))}
            >
              <SeriesLabel labels={row.metric} />
            </button>
          </li>
        ))}
      </ul>
      {listed.length < rows.length && (
        <button type="button" class="link" onClick={() => setAll(true)}>
          List all {count(rows.length)} series
        </button>
      )}
    </div>
  );
}

function Swatch({ at }: { at: number }) {
  return (
    <svg class="swatch-line" viewBox="0 0 20 10" aria-hidden="true">
      <line
        x1="0"
        y1="5"
        x2="20"
        y2="5"
        stroke={colourName(at)}
        stroke-dasharray={dash(at).join(" ")}
      />
    </svg>
  );
}
