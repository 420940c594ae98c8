/** One panel: an expression, and its table, graph or explanation. */

import { useCallback, useId, useRef, useState } from "preact/hooks";
import { ApiError, ask } from "../api";
import { Cross, Tidy } from "../ui/icons";
import { Failure } from "../ui/notice";
import { Editor } from "./editor";
import { ExplainTab } from "./explain";
import { GraphTab } from "./graph_tab";
import type { PanelState, Tab } from "./panel_state";
import type { TabProps } from "./tab";
import { TableTab } from "./table_tab";

interface Props {
  number: number;
  state: PanelState;
  onChange: (change: Partial<PanelState>) => void;
  /** null where this is the only panel. */
  onRemove: (() => void) | null;
}

const TABS: readonly [Tab, string, (props: TabProps) => preact.JSX.Element][] = [
  ["table", "Table", TableTab],
  ["graph", "Graph", GraphTab],
  ["explain", "Explain", ExplainTab],
];

export function Panel({ number, state, onChange, onRemove }: Props) {
  const id = useId();
  const draft = useRef(state.expr);
  const [given, setGiven] = useState({ text: state.expr });
  const [run, setRun] = useState(0);
  const [failure, setFailure] = useState<ApiError | null>(null);
  const [unformatted, setUnformatted] = useState<ApiError | null>(null);
  const View = TABS.find(([tab]) => tab === state.tab)?.[2] ?? TableTab;

  const onFailure = useCallback((error: ApiError | null) => setFailure(error), []);

  function edit(expr: string) {
    draft.current = expr;
    setUnformatted(null);
  }

  function execute() {
    setUnformatted(null);
    setRun(run + 1);
    onChange({ expr: draft.current });
  }

  async function format() {
    try {
      const { data } = await ask<string>("format_query", { query: draft.current });
      setGiven({ text: data });
    } catch (error) {
      setUnformatted(error instanceof ApiError ? error : null);
    }
  }

  return (
    <section class="panel" aria-label={`Panel ${number}`}>
      <div class="query-row">
        <Editor
          given={given}
          failure={(unformatted ?? failure)?.message ?? null}
          onChange={edit}
          onExecute={execute}
        />
        <button
          type="button"
          class="button quiet icon-only"
          title="Format the expression"
          aria-label="Format the expression"
          onClick={format}
        >
          <Tidy />
        </button>
        <button type="button" class="button" onClick={execute}>
          Execute
        </button>
        {onRemove && (
          <button
            type="button"
            class="button quiet icon-only"
            title="Remove this panel"
            aria-label={`Remove panel ${number}`}
            onClick={onRemove}
          >
            <Cross />
          </button>
        )}
      </div>
      {unformatted && <Failure error={unformatted} />}
      <TabList id={id} chosen={state.tab} onChoose={(tab) => onChange({ tab })} />
      <div class="tab" role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-${state.tab}`}>
        <View state={state} run={run} onChange={onChange} onFailure={onFailure} />
      </div>
    </section>
  );
}

interface TabListProps {
  id: string;
  chosen: Tab;
  onChoose: (tab: Tab) => void;
}

function TabList({ id, chosen, onChoose }: TabListProps) {
  function move(event: KeyboardEvent) {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    const at = TABS.findIndex(([tab]) => tab === chosen);
    const next = TABS[(at + by + TABS.length) % TABS.length];
    if (!next) return;
    onChoose(next[0]);
    document.getElementById(`${id}-${next[0]}`)?.focus();
  }
  return (
    <div class="tabs" role="tablist" onKeyDown={move}>
      {TABS.map(([tab, title]) => (
        <button
          type="button"
          role="tab"
          key={tab}
          id={`${id}-${tab}`}
          aria-selected={tab === chosen}
          aria-controls={`${id}-panel`}
          tabIndex={tab === chosen ? 0 : -1}
          onClick={() => onChoose(tab)}
        >
          {title}
        </button>
      ))}
    </div>
  );
}
