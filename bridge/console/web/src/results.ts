/** What queries give, as the API writes it. */

export type Labels = Record<string, string>;
/** A Unix time in seconds and a number as text. */
export type Sample = [number, string];
/** Which bounds belong to the bucket (0 upper, 1 lower, 2 none, 3 both), bounds, count. */
export type Bucket = [number, string, string, string];

export interface Histogram {
  count: string;
  sum: string;
  buckets?: Bucket[];
}

export type HistogramSample = [number, Histogram];

export interface VectorRow {
  metric: Labels;
  value?: Sample;
  histogram?: HistogramSample;
}

export interface MatrixRow {
  metric: Labels;
  values?: Sample[];
  histograms?: HistogramSample[];
}

export type Result =
  | { resultType: "vector"; result: VectorRow[] }
  | { resultType: "matrix"; result: MatrixRow[] }
  | { resultType: "scalar" | "string"; result: Sample };

export interface Stats {
  timings: Record<string, number>;
  samples: Record<string, number>;
}

export type QueryData = Result & { stats?: Stats };

/** What is drawn of a series, in order of time: its numbers, and of native histograms their sums. */
export function drawnSamples({ values = [], histograms = [] }: MatrixRow): Sample[] {
  if (histograms.length === 0) return values;
  const sums = histograms.map(([time, { sum }]): Sample => [time, sum]);
  return [...values, ...sums].sort(([one], [other]) => one - other);
}

/** How many series a result has. */
export function seriesCount(data: Result): number {
  switch (data.resultType) {
    case "vector":
    case "matrix":
      return data.result.length;
    case "scalar":
    case "string":
      return 1;
  }
}

const PLAIN_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const PLAIN_LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/** The metric's name if it can stand in front of the braces, and the other labels. */
export function nameAndLabels(labels: Labels): [string, [string, string][]] {
  const { __name__: name = "", ...others } = labels;
  const rest = Object.entries(others).map(([label, value]): [string, string] => [
    PLAIN_LABEL.test(label) ? label : JSON.stringify(label),
    value,
  ]);
  if (name && !PLAIN_NAME.test(name)) return ["", [["__name__", name], ...rest]];
  return [name, rest];
}

/** A label set as PromQL writes it. */
export function seriesName(labels: Labels): string {
  const [name, rest] = nameAndLabels(labels);
  const pairs = rest.map(([label, value]) => `${label}=${JSON.stringify(value)}`);
  return name && pairs.length === 0 ? name : `${name}{${pairs.join(", ")}}`;
}
