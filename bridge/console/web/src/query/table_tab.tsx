/** The table: an instant query's rows. */

import { useEffect, useState } from "preact/hooks";
import { ask } from "../api";
import { count } from "../numbers";
import type { MatrixRow, QueryData, Sample, VectorRow } from "../results";
import { formatMoment } from "../time";
import { useAnswer } from "../ui/asking";
import { Empty, Failure, Remarks } from "../ui/notice";
import { SeriesLabel } from "../ui/series_label";
import { useSettings } from "../ui/settings";
import { HistogramView } from "./histogram";
import { MomentInput } from "./moment_input";
import { Summary } from "./summary";
import type { TabProps } from "./tab";

/** More rows than this wait behind a button: a browser is slow with them. */
const SHOWN_AT_FIRST = 500;

export function TableTab({ state, run, onChange, onFailure }: TabProps) {
  const { expr, end } = state;
  const asked = useAnswer(
    expr
      ? (signal) =>
          ask<QueryData>("query", { query: expr, time: (end ?? Date.now()) / 1000 }, signal)
      : null,
    [expr, end, run],
  );
  const { loading, answer, error } = asked;
  useEffect(() => onFailure(error), [error]);
  return (
    <>
      <div class="controls">
        <MomentInput
          label="Evaluation time"
          moment={end}
          step={state.range / 2}
          onChange={(moment) => onChange({ end: moment })}
        />
        <Summary asked={asked} />
      </div>
      <div class={loading ? "result loading" : "result"} aria-busy={loading}>
        {error && <Failure error={error} />}
        {answer && <Remarks {...answer} />}
        {answer && <Rows data={answer.data} />}
        {!answer && !error && !loading && (
          <Empty title="No query yet">Enter an expression and execute it.</Empty>
        )}
      </div>
    </>
  );
}

function Rows({ data }: { data: QueryData }) {
  const [all, setAll] = useState(false);
  if (data.resultType === "scalar" || data.resultType === "string") {
    return (
      <Table>
        <tr>
          <td class="kind">{data.resultType}</td>
          <td class="value">{data.result[1]}</td>
        </tr>
      </Table>
    );
  }
  const rows = data.result as (VectorRow | MatrixRow)[];
  if (rows.length === 0) {
    return (
      <Empty title="Empty result">
        No series has a sample at this time. Names or labels may be misspelt.
      </Empty>
    );
  }
  const shown = all ? rows : rows.slice(0, SHOWN_AT_FIRST);
  return (
    <>
      <Table>
        {shown.map((row, at) => (
          <tr key={at}>
            <td>
              <SeriesLabel labels={row.metric} />
            </td>
            <td class="value">
              <Value row={row} />
            </td>
          </tr>
        ))}
      </Table>
      {shown.length < rows.length && (
        <button type="button" class="button quiet" onClick={() => setAll(true)}>
          Show all {count(rows.length)} rows
        </button>
      )}
    </>
  );
}

function Table({ children }: { children: preact.ComponentChildren }) {
  return (
    <table class="rows">
      <thead class="unseen">
        <tr>
          <th scope="col">Series</th>
          <th scope="col">Value</th>
        </tr>
      </thead>
      <tbody>{children}</tbody>
    </table>
  );
}

function Value({ row }: { row: VectorRow | MatrixRow }) {
  if ("value" in row && row.value) return <>{row.value[1]}</>;
  if ("histogram" in row && row.histogram) return <HistogramView histogram={row.histogram[1]} />;
  if (!("values" in row || "histograms" in row)) return null;
  return (
    <>
      {row.values?.map((sample) => (
        <TimedValue key={sample[0]} sample={sample} />
      ))}
      {row.histograms?.map(([time, histogram]) => (
        <HistogramView key={time} histogram={histogram} time={time} />
      ))}
    </>
  );
}

function TimedValue({ sample: [time, value] }: { sample: Sample }) {
  const { localTime } = useSettings();
  return (
    <div>
      {value} <span class="at">@ {formatMoment(time * 1000, localTime)}</span>
    </div>
  );
}
