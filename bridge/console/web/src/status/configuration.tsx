/** The configuration in force; the bridge has hidden its secrets. */

import { useState } from "preact/hooks";
import { StatusAnswer } from "./page";

export function ConfigurationPage() {
  return (
    <StatusAnswer<{ yaml: string }>
      title="Configuration"
      path="config"
      lead="What is in force, with defaults filled in and secrets hidden."
    >
      {({ yaml }) => (
        <div class="yaml">
          <Copy text={yaml} />
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it */}
          <pre tabIndex={0}>
            {yaml.split("\n").map((line, at) => (
              <Line key={at} text={line} />
            ))}
          </pre>
        </div>
      )}
    </StatusAnswer>
  );
}

function Line({ text }: { text: string }) {
  const found = /^(\s*(?:- )?)([^\s:][^:]*)(:)(.*)$/.exec(text);
  if (!found) return <span class="line">{`${text}\n`}</span>;
  const [, indent, key, colon, value] = found;
  return (
    <span class="line">
      {indent}
      <span class="yaml-key">{key}</span>
      {colon}
      <span
        class={value?.trim() === "<secret>" ? "yaml-secret" : "yaml-value"}
      >{`${value}\n`}</span>
    </span>
  );
}

function Copy({ text }: { text: string }) {
  const [copied, setCopied] = useState(false);
  async function copy() {
    await navigator.clipboard.writeText(text);
    setCopied(true);
  }
  return (
    <button type="button" class="button quiet" onClick={copy}>
      {copied ? "Copied" : "Copy"}
    </button>
  );
}
