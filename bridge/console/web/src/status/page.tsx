/** What the status pages have in common: a heading, and an answer that is waited for. */

import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";
import { ask, type Parameters } from "../api";
import { useAnswer } from "../ui/asking";
import { Failure, Remarks } from "../ui/notice";

interface Props<T> {
  title: string;
  children: (data: T) => JSX.Element;
  /** What the page shows: a path of the API below `status/`. */
  path: string;
  parameters?: Parameters;
  lead?: ComponentChildren;
  /** Whether this is a part of a page rather than its whole. */
  part?: boolean;
}

export function StatusAnswer<T>({ title, path, parameters = {}, lead, part, children }: Props<T>) {
  const [visit, setVisit] = useState(0);
  const { loading, answer, error } = useAnswer<T>(
    (signal) => ask<T>(`status/${path}`, parameters, signal),
    [path, JSON.stringify(parameters), visit],
  );
  return (
    <section class="page" aria-busy={loading}>
      <div class="page-head">
        {part ? <h2>{title}</h2> : <h1>{title}</h1>}
        <button type="button" class="button quiet" onClick={() => setVisit(visit + 1)}>
          Refresh
        </button>
      </div>
      {lead && <p class="lead">{lead}</p>}
      {error && <Failure error={error} />}
      {answer && <Remarks {...answer} />}
      {answer ? (
        <div class={part ? "card" : ""}>{children(answer.data)}</div>
      ) : (
        loading && <div class="skeleton" />
      )}
    </section>
  );
}

/** Names and values, one pair a line. */
export function Facts({ facts }: { facts: [string, ComponentChildren][] }) {
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <>
          <dt key={name}>{name}</dt>
          <dd>{value}</dd>
        </>
      ))}
    </dl>
  );
}

/** A figure to be seen from afar, and what it counts. */
export function Figure({ value, name }: { value: string; name: string }) {
  return (
    <div class="figure">
      <strong>{value}</strong>
      <span>{name}</span>
    </div>
  );
}
