/** The field for a moment: empty means now. */

import { useEffect, useState } from "preact/hooks";
import { formatMoment, parseMoment } from "../time";
import { Cross, Left, Right } from "../ui/icons";
import { useSettings } from "../ui/settings";

interface Props {
  label: string;
  /** ms; null is now. */
  moment: number | null;
  /** How far the arrows move it, ms. */
  step: number;
  onChange: (moment: number | null) => void;
}

export function MomentInput({ label, moment, step, onChange }: Props) {
  const { localTime } = useSettings();
  const text = moment === null ? "" : formatMoment(moment, localTime);
  const [draft, setDraft] = useState(text);
  useEffect(() => setDraft(text), [text]);
  const meant = draft.trim() === "" ? null : parseMoment(draft, localTime);
  const wrong = draft.trim() !== "" && meant === null;
  const move = (by: number) => onChange((moment ?? Math.floor(Date.now() / 1000) * 1000) + by);

  function commit() {
    if (!wrong && meant !== moment) onChange(meant);
  }

  return (
    <fieldset class="joined">
      <legend class="unseen">{label}</legend>
      <button type="button" aria-label={`${label}: earlier`} onClick={() => move(-step)}>
        <Left />
      </button>
      <input
        class="moment"
        placeholder="now"
        aria-label={label}
        aria-invalid={wrong}
        title={`${label} in ${localTime ? "local time" : "UTC"}, such as 2026-01-31 12:00:00; empty means now`}
        value={draft}
        onInput={(event) => setDraft(event.currentTarget.value)}
        onBlur={commit}
        onKeyDown={(event) => event.key === "Enter" && commit()}
      />
      {moment !== null && (
        <button type="button" aria-label={`${label}: now`} onClick={() => onChange(null)}>
          <Cross />
        </button>
      )}
      <button type="button" aria-label={`${label}: later`} onClick={() => move(step)}>
        <Right />
      </button>
    </fieldset>
  );
}
