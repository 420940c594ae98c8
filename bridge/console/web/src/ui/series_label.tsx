/** A label set in PromQL's form, its parts in their colours. */

import { type Labels, nameAndLabels } from "../results";

export function SeriesLabel({ labels }: { labels: Labels }) {
  const [name, rest] = nameAndLabels(labels);
  if (!name && rest.length === 0) return <span class="series-label">{"{}"}</span>;
  return (
    <span class="series-label">
      <span class="metric-name">{name}</span>
      {rest.length > 0 && "{"}
      <wbr />
      {rest.map(([label, value], at) => (
        <span key={label}>
          {at > 0 && ", "}
          <span class="label-name">{label}</span>=
          <span class="label-value">{JSON.stringify(value)}</span>
        </span>
      ))}
      {rest.length > 0 && "}"}
    </span>
  );
}
