/** The cache: how full it is, and which hours of which selectors it holds. */

import { bytes, count, percent, plural } from "../numbers";
import { ago, formatMoment } from "../time";
import { Empty } from "../ui/notice";
import { useSettings } from "../ui/settings";
import { Figure, StatusAnswer } from "./page";

interface Held {
  selector: string;
  series: number;
  blocks: number;
  samples: number;
  ownedBytes: number;
  newestAgeSeconds: number | null;
  coverage: { start: string; end: string }[];
  coverageOmitted: number;
}

interface StoreCache {
  store: string;
  selectors: number;
  held: Held[];
}

interface Cache {
  maxBytes: number;
  ownedBytes: number;
  samplesBytes: number;
  blocks: number;
  tiers: { name: string; leftAlone: boolean }[];
  stores: StoreCache[];
}

const HOUR = 3_600_000;
/** The map shows so many hours back at least and at most. */
const LEAST_HOURS = 6;
const MOST_HOURS = 72;
const SELECTORS = 50;

export function CachePage() {
  return (
    <StatusAnswer<Cache>
      title="Cache"
      path="cache"
      parameters={{ limit: SELECTORS }}
      lead="Which samples are remembered, by selector and time. What is coloured need not be read again."
    >
      {(cache) => (
        <>
          <div class="figures">
            <Figure
              value={bytes(cache.ownedBytes)}
              name={`of ${bytes(cache.maxBytes)}, ${percent(cache.ownedBytes / Math.max(cache.maxBytes, 1))}`}
            />
            <Figure value={bytes(cache.samplesBytes)} name="samples themselves" />
            <Figure value={count(cache.blocks)} name="blocks" />
            {cache.tiers.map(({ name, leftAlone }) => (
              <Figure key={name} value={name} name={leftAlone ? "left alone" : "in use"} />
            ))}
          </div>
          {cache.stores.length === 0 && (
            <Empty title="Nothing is remembered yet">The first queries fill it.</Empty>
          )}
          {cache.stores.map((store) => (
            <StoreMap key={store.store} store={store} />
          ))}
        </>
      )}
    </StatusAnswer>
  );
}

function StoreMap({ store }: { store: StoreCache }) {
  const { localTime } = useSettings();
  const end = Math.ceil(Date.now() / HOUR) * HOUR;
  const starts = store.held.flatMap((one) => one.coverage.map(({ start }) => Date.parse(start)));
  const oldest = Math.floor((end - Math.min(...starts, end)) / HOUR) + 1;
  const hours = Math.min(Math.max(oldest, LEAST_HOURS), MOST_HOURS);
  const start = end - hours * HOUR;
  return (
    <section class="card">
      <div class="card-head">
        <h2>{store.store}</h2>
        <span class="quiet-text">
          {plural(store.selectors, "selector")}
          {store.held.length < store.selectors && `, the largest ${store.held.length} shown`}
        </span>
      </div>
      <div class="held-axis quiet-text" aria-hidden="true">
        <span>{formatMoment(start, localTime).slice(0, 16)}</span>
        <span>{formatMoment(end, localTime).slice(0, 16)}</span>
      </div>
      <ul class="held">
        {store.held.map((held) => (
          <li key={held.selector}>
            <code>{held.selector}</code>
            <Hours held={held} start={start} hours={hours} />
            <span class="quiet-text">
              {plural(held.series, "series")}, {count(held.samples)} samples,{" "}
              {bytes(held.ownedBytes)}
              {held.newestAgeSeconds !== null &&
                `, read ${ago(Date.now() - held.newestAgeSeconds * 1000)}`}
              {held.coverageOmitted > 0 && `, ${held.coverageOmitted} older pieces not shown`}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** One cell an hour, filled as far as it is remembered. */
function Hours({ held, start, hours }: { held: Held; start: number; hours: number }) {
  const covered = held.coverage.map((one) => [Date.parse(one.start), Date.parse(one.end)] as const);
  const length = hours * HOUR;
  const inside = covered.reduce(
    (sum, [from, to]) => sum + Math.max(Math.min(to, start + length) - Math.max(from, start), 0),
    0,
  );
  return (
    <svg class="coverage" viewBox={`0 0 ${hours * 10} 10`} preserveAspectRatio="none" role="img">
      <title>{`${percent(inside / length)} of the last ${hours} hours are remembered`}</title>
      {covered
        .filter(([, to]) => to > start)
        .map(([from, to]) => {
          const x = (Math.max(from - start, 0) / HOUR) * 10;
          const width = Math.max(((to - start) / HOUR) * 10 - x, 0.2);
          return <rect key={from} x={x} y="0" width={width} height="10" />;
        })}
      {Array.from({ length: hours - 1 }, (_, at) => (
        <line key={at} class="hour" x1={(at + 1) * 10} x2={(at + 1) * 10} y1="0" y2="10" />
      ))}
    </svg>
  );
}
