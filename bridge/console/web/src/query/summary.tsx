/** The line that says of an answer how large it is, how long it took and what the cache had. */

import { milliseconds, plural } from "../numbers";
import { type QueryData, seriesCount } from "../results";
import type { Asked } from "../ui/asking";
import { remembered } from "./remembered";

interface Props {
  asked: Asked<QueryData> & { cancel: () => void };
}

export function Summary({ asked: { loading, answer, cancel } }: Props) {
  return (
    <div class="summary" aria-live="polite">
      {loading ? (
        <>
          <span>Loading …</span>
          <button type="button" class="link" onClick={cancel}>
            Cancel
          </button>
        </>
      ) : (
        answer && (
          <>
            <span>{plural(seriesCount(answer.data), "series")}</span>
            <span title="From asking to the whole answer">{milliseconds(answer.milliseconds)}</span>
            {answer.cache && <span title={answer.cache}>{remembered(answer.cache)}</span>}
          </>
        )
      )}
    </div>
  );
}
