/** What every tab of a panel is given. */

import type { ApiError } from "../api";
import type { PanelState } from "./panel_state";

export interface TabProps {
  state: PanelState;
  /** Grows with each click on Execute. */
  run: number;
  onChange: (change: Partial<PanelState>) => void;
  /** Told of the error of the newest answer, or that there is none. */
  onFailure: (error: ApiError | null) => void;
}
