/** A native histogram: its count and sum, its buckets as bars and, on demand, as a table. */

import { plural, short } from "../numbers";
import type { Bucket, Histogram } from "../results";
import { formatMoment } from "../time";
import { useSettings } from "../ui/settings";

const WIDTH = 280;
const HEIGHT = 56;
/** `[`, `(` for the lower and `]`, `)` for the upper bound, by the bucket's first number. */
const OPENING = ["(", "[", "(", "["];
const CLOSING = ["]", ")", ")", "]"];

export function HistogramView({ histogram, time }: { histogram: Histogram; time?: number }) {
  const { localTime } = useSettings();
  const buckets = histogram.buckets ?? [];
  return (
    <div class="histogram">
      <div>
        <span class="quiet-text">count</span> {histogram.count} <span class="quiet-text">sum</span>{" "}
        {histogram.sum}
        {time !== undefined && <span class="at"> @ {formatMoment(time * 1000, localTime)}</span>}
      </div>
      {buckets.length > 0 && (
        <>
          <Bars buckets={buckets} />
          <details>
            <summary>{plural(buckets.length, "bucket")}</summary>
            <table class="buckets">
              <thead>
                <tr>
                  <th scope="col">Range</th>
                  <th scope="col">Count</th>
                </tr>
              </thead>
              <tbody>
                {buckets.map((bucket) => (
                  <tr key={bucket[1]}>
                    <td>{rangeText(bucket)}</td>
                    <td>{bucket[3]}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </details>
        </>
      )}
    </div>
  );
}

/** One bar a bucket, equally wide: exponential buckets are equally wide on a logarithmic scale. */
function Bars({ buckets }: { buckets: Bucket[] }) {
  const counts = buckets.map((bucket) => Math.max(Number(bucket[3]), 0));
  const most = Math.max(...counts, Number.MIN_VALUE);
  const width = WIDTH / buckets.length;
  return (
    <svg
      class="bars"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      role="img"
      aria-label={`Buckets from ${buckets[0]?.[1]} to ${buckets.at(-1)?.[2]}`}
    >
      {buckets.map((bucket, at) => {
        const height = ((counts[at] ?? 0) / most) * (HEIGHT - 2);
        return (
          <rect
            key={bucket[1]}
            x={at * width}
            y={HEIGHT - height}
            width={Math.max(width - 1, 0.5)}
            height={height}
          >
            <title>{`${rangeText(bucket)}: ${bucket[3]}`}</title>
          </rect>
        );
      })}
    </svg>
  );
}

function rangeText([kind, lower, upper]: Bucket): string {
  return `${OPENING[kind]}${short(Number(lower))}, ${short(Number(upper))}${CLOSING[kind]}`;
}
