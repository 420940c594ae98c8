/** The field for a graph's length, with buttons to the next shorter and longer one. */

import { useEffect, useState } from "preact/hooks";
import { formatDuration, parseDuration } from "../time";
import { Minus, Plus } from "../ui/icons";

const STEPS = [
  "1m",
  "5m",
  "15m",
  "30m",
  "1h",
  "2h",
  "6h",
  "12h",
  "1d",
  "2d",
  "1w",
  "2w",
  "4w",
  "8w",
  "1y",
  "2y",
].map((text) => parseDuration(text) as number);

interface Props {
  /** ms. */
  range: number;
  onChange: (range: number) => void;
}

export function RangeInput({ range, onChange }: Props) {
  const [draft, setDraft] = useState(formatDuration(range));
  useEffect(() => setDraft(formatDuration(range)), [range]);
  const shorter = STEPS.findLast((step) => step < range);
  const longer = STEPS.find((step) => step > range);
  const wrong = parseDuration(draft) === null;

  function commit() {
    const next = parseDuration(draft);
    if (next !== null && next !== range) onChange(next);
    if (next !== null) setDraft(formatDuration(next));
  }

  return (
    <fieldset class="joined">
      <legend class="unseen">Range</legend>
      <button
        type="button"
        aria-label="Shorter range"
        disabled={shorter === undefined}
        onClick={() => shorter && onChange(shorter)}
      >
        <Minus />
      </button>
      <input
        class="short"
        aria-label="Range"
        aria-invalid={wrong}
        title="Range, such as 30m, 1h30m or 2d"
        value={draft}
        onInput={(event) => setDraft(event.currentTarget.value)}
        onBlur={commit}
        onKeyDown={(event) => event.key === "Enter" && commit()}
      />
      <button
        type="button"
        aria-label="Longer range"
        disabled={longer === undefined}
        onClick={() => longer && onChange(longer)}
      >
        <Plus />
      </button>
    </fieldset>
  );
}
