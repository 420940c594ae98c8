/** What a query is made of, what it reads, and what it cost. */

import { useEffect } from "preact/hooks";
import { ask } from "../api";
import { count, milliseconds } from "../numbers";
import type { QueryData, Stats } from "../results";
import { useAnswer } from "../ui/asking";
import { Empty, Failure, Remarks } from "../ui/notice";
import { Reads } from "./cost";
import type { Span } from "./graph_data";
import { stepOf } from "./panel_state";
import { remembered } from "./remembered";
import type { TabProps } from "./tab";
import { below, described, type Node } from "./tree";

export function ExplainTab({ state, run, onFailure }: TabProps) {
  const { expr, range, end } = state;
  const step = stepOf(state);
  const causes = [expr, range, end, step, run];
  const last = (end ?? Math.floor(Date.now() / 1000) * 1000) / 1000;
  const span = { start: last - range / 1000, end: last, step: step / 1000 };
  const tree = useAnswer<Node>(
    expr ? (signal) => ask<Node>("parse_query", { query: expr }, signal) : null,
    [expr, run],
  );
  useEffect(() => onFailure(tree.error), [tree.error]);
  if (!expr) return <Empty title="No query yet">Enter an expression and execute it.</Empty>;
  if (tree.error) return <Failure error={tree.error} />;
  return (
    <div class="explain">
      <section>
        <h2>Plan</h2>
        {tree.answer && (
          <ul class="tree">
            <Branch node={tree.answer.data} />
          </ul>
        )}
      </section>
      {tree.answer && <Reads query={expr} span={span} causes={causes} />}
      {tree.answer && <Spent query={expr} span={span} causes={causes} />}
    </div>
  );
}

function Branch({ node }: { node: Node }) {
  const [kind, text] = described(node);
  const nodes = below(node);
  return (
    <li>
      <code>{text}</code> <span class="quiet-text">{kind}</span>
      {nodes.length > 0 && (
        <ul>
          {nodes.map((one, at) => (
            <Branch key={at} node={one} />
          ))}
        </ul>
      )}
    </li>
  );
}

interface SpentProps {
  query: string;
  span: Span;
  causes: readonly unknown[];
}

const TIMINGS: Record<string, string> = {
  evalTotalTime: "in all",
  resultSortTime: "sorting",
  queryPreparationTime: "planning and reading",
  innerEvalTime: "evaluation",
  execQueueTime: "waiting for a turn",
  execTotalTime: "with waiting",
};

function Spent({ query, span, causes }: SpentProps) {
  const asked = useAnswer<QueryData>(
    (signal) => ask<QueryData>("query_range", { query, ...span, stats: "all" }, signal),
    causes,
  );
  const stats = asked.answer?.data.stats;
  return (
    <section>
      <h2>This time it took</h2>
      {asked.error && <Failure error={asked.error} />}
      {asked.answer && <Remarks {...asked.answer} />}
      {stats && <StatsTable stats={stats} cache={asked.answer?.cache ?? null} />}
    </section>
  );
}

function StatsTable({ stats, cache }: { stats: Stats; cache: string | null }) {
  const { samples, timings } = stats;
  return (
    <dl class="facts">
      {cache && <Fact name="samples" value={remembered(cache)} />}
      <Fact name="samples read" value={count(samples.samplesRead ?? 0)} />
      <Fact name="samples seen by all steps" value={count(samples.totalQueryableSamples ?? 0)} />
      <Fact name="most samples held at once" value={count(samples.peakSamples ?? 0)} />
      {Object.entries(timings).map(([name, seconds]) => (
        <Fact
          key={name}
          name={`time, ${TIMINGS[name] ?? name}`}
          value={milliseconds(seconds * 1e3)}
        />
      ))}
    </dl>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </>
  );
}
