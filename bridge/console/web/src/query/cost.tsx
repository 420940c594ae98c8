/** What a query reads: each selector's window, what of it is remembered and what must be read. */

import { ask } from "../api";
import { bytes, count } from "../numbers";
import { formatDuration, formatMoment } from "../time";
import { useAnswer } from "../ui/asking";
import { Failure } from "../ui/notice";
import { useSettings } from "../ui/settings";
import type { Span } from "./graph_data";

/** Unix times in seconds. */
interface Window {
  start: number;
  end: number;
}

interface Sizes {
  /** null: not known. */
  samples: number | null;
  readSamples: number | null;
  readBytes: number | null;
}

interface Estimate extends Sizes {
  store: string;
  cache: "hit" | "partial" | "miss";
  held: Window[];
  gaps: Window[];
  series: number | null;
}

interface Select extends Window {
  selector: string;
  stores: Estimate[];
}

interface Cost {
  selects: Select[];
  total: Sizes & { gaps: number; gapSeconds: number };
}

interface Props {
  query: string;
  span: Span;
  causes: readonly unknown[];
}

export function Reads({ query, span, causes }: Props) {
  const { answer, error } = useAnswer<Cost>(
    (signal) => ask<Cost>("query_cost", { query, ...span }, signal),
    causes,
  );
  return (
    <section aria-label="Reads">
      <h2>Reads</h2>
      {error && <Failure error={error} />}
      {answer && <CostView cost={answer.data} />}
    </section>
  );
}

function CostView({ cost: { selects, total } }: { cost: Cost }) {
  if (selects.length === 0) return <p class="lead">It reads no samples.</p>;
  return (
    <>
      {selects.map((select) => (
        <SelectView key={`${select.selector} ${select.start} ${select.end}`} select={select} />
      ))}
      <p class="lead">
        To be read of stores: {formatDuration(Math.round(total.gapSeconds) * 1000)} in{" "}
        {count(total.gaps)} {total.gaps === 1 ? "gap" : "gaps"}, {known(total.readSamples, count)}{" "}
        samples, {total.readBytes === null ? "of unknown size" : bytes(total.readBytes)}.
      </p>
    </>
  );
}

function SelectView({ select }: { select: Select }) {
  const { localTime } = useSettings();
  const moment = (seconds: number) => formatMoment(seconds * 1000, localTime);
  return (
    <div class="select">
      <code>{select.selector}</code>
      <p class="quiet-text">
        {moment(select.start)} to {moment(select.end)}
      </p>
      {select.stores.map((estimate) => (
        <div class="estimate" key={estimate.store}>
          <span>{estimate.store}</span>
          <Coverage window={select} held={estimate.held} gaps={estimate.gaps} />
          <span class="quiet-text">
            {known(estimate.series, count)} series, {known(estimate.samples, count)} samples
          </span>
        </div>
      ))}
    </div>
  );
}

/** What of a window is remembered, as a bar. */
function Coverage({ window, held, gaps }: { window: Window; held: Window[]; gaps: Window[] }) {
  const length = Math.max(window.end - window.start, 1e-3);
  const lacking = gaps.reduce((sum, gap) => sum + gap.end - gap.start, 0);
  const share = gaps.length === 0 ? 1 : Math.min(Math.max(1 - lacking / length, 0), 1);
  const text = `${Math.round(share * 100)} % remembered`;
  return (
    <svg class="coverage" viewBox="0 0 1000 10" preserveAspectRatio="none" role="img">
      <title>{text}</title>
      {held.map((one) => {
        const from = Math.max((one.start - window.start) / length, 0);
        const to = Math.min((one.end - window.start) / length, 1);
        const width = Math.max((to - from) * 1000, 2);
        return <rect key={one.start} x={from * 1000} y="0" width={width} height="10" />;
      })}
    </svg>
  );
}

function known(value: number | null, format: (value: number) => string): string {
  return value === null ? "an unknown number of" : format(value);
}
