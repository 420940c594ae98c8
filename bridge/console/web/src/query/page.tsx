/** The query page: its panels, and the URL that holds them. */

import { useEffect, useState } from "preact/hooks";
import { Plus } from "../ui/icons";
import { Panel } from "./panel";
import { newPanel, type PanelState, panelsOf, searchOf } from "./panel_state";

/** The address of what the page showed last, for when it is left and come back to. */
let remembered = "";

function panelsHere(): PanelState[] {
  const panels = panelsOf(location.search);
  return panels.length > 0 ? panels : [newPanel()];
}

function panelsAtFirst(): PanelState[] {
  if (!location.search && remembered) history.replaceState(null, "", remembered);
  remembered = location.search;
  return panelsHere();
}

export function QueryPage() {
  const [panels, setPanels] = useState(panelsAtFirst);

  useEffect(() => {
    const moved = () => setPanels(panelsHere());
    addEventListener("popstate", moved);
    return () => removeEventListener("popstate", moved);
  }, []);

  function show(next: PanelState[]) {
    const search = searchOf(next);
    if (search !== location.search) history.pushState(null, "", search);
    remembered = search;
    setPanels(next);
  }

  return (
    <>
      <h1 class="unseen">Query</h1>
      {panels.map((panel, at) => (
        <Panel
          key={panel.key}
          number={at + 1}
          state={panel}
          onChange={(change) => show(panels.with(at, { ...panel, ...change }))}
          onRemove={panels.length > 1 ? () => show(panels.toSpliced(at, 1)) : null}
        />
      ))}
      <button type="button" class="button quiet" onClick={() => show([...panels, newPanel()])}>
        <Plus />
        Add panel
      </button>
    </>
  );
}
