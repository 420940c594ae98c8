/** The catalogue: how many series, names and values the bridge knows of. */

import { useState } from "preact/hooks";
import { bytes, count } from "../numbers";
import { formatMoment } from "../time";
import { Empty } from "../ui/notice";
import { useSettings } from "../ui/settings";
import { Figure, StatusAnswer } from "./page";

interface Entry {
  name: string;
  value: number;
}

interface Cardinalities {
  headStats: { numSeries: number; numLabelPairs: number; minTime: number; maxTime: number };
  seriesCountByMetricName: Entry[];
  labelValueCountByLabelName: Entry[];
  memoryInBytesByLabelName: Entry[];
  seriesCountByLabelValuePair: Entry[];
}

const LIMITS = [10, 50, 200, 1000];

export function CataloguePage() {
  const [limit, setLimit] = useState(10);
  const { localTime } = useSettings();
  return (
    <StatusAnswer<Cardinalities>
      title="Catalogue"
      path="tsdb"
      parameters={{ limit }}
      lead="What is known of names and values: from reads, and from asking the stores for series only."
    >
      {(data) => {
        const { numSeries, numLabelPairs, minTime, maxTime } = data.headStats;
        if (numSeries === 0) {
          return (
            <Empty title="Nothing is known yet">
              The catalogue fills with the first queries, and with what it asks the stores at start.
            </Empty>
          );
        }
        return (
          <>
            <div class="figures">
              <Figure value={count(numSeries)} name="series" />
              <Figure value={count(numLabelPairs)} name="label pairs" />
              <Figure value={formatMoment(minTime, localTime).slice(0, 16)} name="first seen" />
              <Figure value={formatMoment(maxTime, localTime).slice(0, 16)} name="last seen" />
            </div>
            <label class="limit">
              Entries in each table{" "}
              <select
                value={String(limit)}
                onChange={(event) => setLimit(Number(event.currentTarget.value))}
              >
                {LIMITS.map((one) => (
                  <option key={one} value={String(one)}>
                    {one}
                  </option>
                ))}
              </select>
            </label>
            <div class="columns">
              <Ranking
                title="Series by metric"
                entries={data.seriesCountByMetricName}
                link={(name) =>
                  `query?g0.expr=${encodeURIComponent(selectorOf(name))}&g0.tab=table`
                }
              />
              <Ranking title="Values by label" entries={data.labelValueCountByLabelName} />
              <Ranking title="Series by label pair" entries={data.seriesCountByLabelValuePair} />
              <Ranking
                title="Memory by label"
                entries={data.memoryInBytesByLabelName}
                format={bytes}
              />
            </div>
          </>
        );
      }}
    </StatusAnswer>
  );
}

function selectorOf(name: string): string {
  return /^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(name) ? name : `{${JSON.stringify(name)}}`;
}

interface RankingProps {
  title: string;
  entries: Entry[];
  format?: (value: number) => string;
  link?: (name: string) => string;
}

/** Names with their counts, and a bar as long as the count's share of the largest. */
function Ranking({ title, entries, format = count, link }: RankingProps) {
  const most = Math.max(...entries.map((entry) => entry.value), 1);
  return (
    <section class="card">
      <h2>{title}</h2>
      <table class="ranking">
        <thead class="unseen">
          <tr>
            <th scope="col">Name</th>
            <th scope="col">Count</th>
          </tr>
        </thead>
        <tbody>
          {entries.map(({ name, value }) => (
            <tr key={name}>
              <td style={{ "--share": `${(value / most) * 100}%` }}>
                {link ? <a href={link(name)}>{name}</a> : name}
              </td>
              <td class="value">{format(value)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
