/** A row of buttons of which one is chosen. */

import type { ComponentChildren } from "preact";

interface Option<T> {
  value: T;
  text: string;
  icon?: ComponentChildren;
}

interface Props<T> {
  label: string;
  options: readonly Option<T>[];
  chosen: T;
  onChoose: (value: T) => void;
}

export function Choice<T extends string>({ label, options, chosen, onChoose }: Props<T>) {
  return (
    <fieldset class="choice">
      <legend class="unseen">{label}</legend>
      {options.map(({ value, text, icon }) => (
        <button
          type="button"
          key={value}
          aria-pressed={value === chosen}
          aria-label={icon ? text : undefined}
          title={icon ? text : undefined}
          onClick={() => onChoose(value)}
        >
          {icon ?? text}
        </button>
      ))}
    </fieldset>
  );
}
