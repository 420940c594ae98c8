/** The graph: a range query over a span that ends now or at a chosen moment. */

import { useEffect } from "preact/hooks";
import { type Answer, ask } from "../api";
import { plural } from "../numbers";
import type { MatrixRow, QueryData } from "../results";
import { useAnswer } from "../ui/asking";
import { Choice } from "../ui/choice";
import { Lines, Stacked } from "../ui/icons";
import { Empty, Failure, Remarks } from "../ui/notice";
import type { Span } from "./graph_data";
import { GraphView } from "./graph_view";
import { MomentInput } from "./moment_input";
import { stepOf } from "./panel_state";
import { RangeInput } from "./range_input";
import { ResolutionInput } from "./resolution_input";
import { Summary } from "./summary";
import type { TabProps } from "./tab";

/** An answer and the span it was asked for. */
type Graphed = QueryData & { span: Span };

export function GraphTab({ state, run, onChange, onFailure }: TabProps) {
  const { expr, range, end } = state;
  const step = stepOf(state);
  const asked = useAnswer<Graphed>(
    expr ? (signal) => graphed(expr, spanOf(range, end, step), signal) : null,
    [expr, range, end, step, run],
  );
  const { loading, answer, error } = asked;
  useEffect(() => onFailure(error), [error]);

  function zoom(from: number, to: number) {
    const length = Math.max(Math.round(to - from), 1);
    onChange({ range: length * 1000, end: Math.round(to) * 1000 });
  }

  return (
    <>
      <div class="controls">
        <RangeInput range={range} onChange={(next) => onChange({ range: next })} />
        <MomentInput
          label="End time"
          moment={end}
          step={range / 2}
          onChange={(moment) => onChange({ end: moment })}
        />
        <ResolutionInput state={state} onChange={(resolution) => onChange({ resolution })} />
        <Choice
          label="Display"
          chosen={state.display}
          options={[
            { value: "lines", text: "Lines", icon: <Lines /> },
            { value: "stacked", text: "Stacked", icon: <Stacked /> },
          ]}
          onChoose={(display) => onChange({ display })}
        />
        <Summary asked={asked} />
      </div>
      <div class={loading ? "result loading" : "result"} aria-busy={loading}>
        {error && <Failure error={error} />}
        {answer && <Remarks {...answer} />}
        {answer && <Drawn answer={answer} display={state.display} onZoom={zoom} />}
        {!answer && !error && !loading && (
          <Empty title="No query yet">Enter an expression and execute it.</Empty>
        )}
        {!answer && !error && loading && <div class="chart skeleton" />}
      </div>
    </>
  );
}

function spanOf(range: number, end: number | null, step: number): Span {
  const last = (end ?? Math.floor(Date.now() / 1000) * 1000) / 1000;
  return { start: last - range / 1000, end: last, step: step / 1000 };
}

async function graphed(query: string, span: Span, signal: AbortSignal): Promise<Answer<Graphed>> {
  const answer = await ask<QueryData>("query_range", { query, ...span }, signal);
  return { ...answer, data: { ...answer.data, span } };
}

interface DrawnProps {
  answer: Answer<Graphed>;
  display: "lines" | "stacked";
  onZoom: (start: number, end: number) => void;
}

function Drawn({ answer: { data }, display, onZoom }: DrawnProps) {
  const rows: MatrixRow[] = data.resultType === "matrix" ? data.result : [];
  const histograms = rows.filter((row) => row.histograms?.length).length;
  if (rows.length === 0) {
    return <Empty title="Empty result">No series has a sample in this range.</Empty>;
  }
  return (
    <>
      {histograms > 0 && (
        <div class="notice info" role="status">
          <strong>Info</strong>
          <span class="notice-text">
            The lines of {plural(histograms, "series")} of native histograms are sums of what was
            observed. The table shows the buckets; histogram_quantile, histogram_count and
            histogram_avg make other numbers of them.
          </span>
        </div>
      )}
      <GraphView rows={rows} span={data.span} display={display} onZoom={onZoom} />
    </>
  );
}
