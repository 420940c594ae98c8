/** The choice of a graph's step: by the number of points, or fixed. */

import { useState } from "preact/hooks";
import { formatDuration, parseDuration } from "../time";
import { type Density, type PanelState, type Resolution, stepOf } from "./panel_state";

const DENSITIES: readonly [Density, string][] = [
  ["low", "Low resolution"],
  ["medium", "Medium resolution"],
  ["high", "High resolution"],
];
const STEPS = ["1s", "5s", "15s", "30s", "1m", "5m", "15m", "1h", "6h", "1d"];

interface Props {
  state: PanelState;
  onChange: (resolution: Resolution) => void;
}

export function ResolutionInput({ state, onChange }: Props) {
  const { resolution } = state;
  const [draft, setDraft] = useState(formatDuration(stepOf(state)));
  const custom = resolution.type === "custom";
  const chosen =
    resolution.type === "auto"
      ? resolution.density
      : custom
        ? "custom"
        : formatDuration(resolution.step);

  function choose(value: string) {
    if (value === "custom") {
      setDraft(formatDuration(stepOf(state)));
      onChange({ type: "custom", step: stepOf(state) });
      return;
    }
    const step = parseDuration(value);
    onChange(step ? { type: "fixed", step } : { type: "auto", density: value as Density });
  }

  function commit() {
    const step = parseDuration(draft);
    if (step) onChange({ type: "custom", step });
  }

  return (
    <div class="joined">
      <select
        aria-label="Resolution"
        title={`Step: ${formatDuration(stepOf(state))}`}
        value={chosen}
        onChange={(event) => choose(event.currentTarget.value)}
      >
        <optgroup label="By the range">
          {DENSITIES.map(([density, text]) => (
            <option key={density} value={density}>
              {text}
            </option>
          ))}
        </optgroup>
        <optgroup label="Fixed step">
          {STEPS.map((step) => (
            <option key={step} value={step}>
              Step {step}
            </option>
          ))}
          {resolution.type === "fixed" && !STEPS.includes(chosen) && (
            <option value={chosen}>Step {chosen}</option>
          )}
          <option value="custom">Other step …</option>
        </optgroup>
      </select>
      {custom && (
        <input
          class="short"
          aria-label="Step"
          aria-invalid={parseDuration(draft) === null}
          title="Step, such as 15s or 1m"
          value={draft}
          onInput={(event) => setDraft(event.currentTarget.value)}
          onBlur={commit}
          onKeyDown={(event) => event.key === "Enter" && commit()}
        />
      )}
    </div>
  );
}
