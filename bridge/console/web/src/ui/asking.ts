/** An answer that a component waits for. */

import { useCallback, useEffect, useState } from "preact/hooks";
import { type Answer, ApiError, isAbort } from "../api";

export interface Asked<T> {
  loading: boolean;
  answer: Answer<T> | null;
  error: ApiError | null;
}

type Request<T> = (signal: AbortSignal) => Promise<Answer<T>>;

const IDLE = { loading: false, answer: null, error: null };

/**
 * Asks anew whenever one of `causes` changes; a request that is under way is aborted. Until the next
 * answer is there the last one stays. `request` null asks nothing.
 */
export function useAnswer<T>(
  request: Request<T> | null,
  causes: readonly unknown[],
): Asked<T> & { cancel: () => void } {
  const [asked, setAsked] = useState<Asked<T>>(IDLE);
  const [aborter, setAborter] = useState<AbortController | null>(null);
  useEffect(() => {
    if (request === null) {
      setAsked(IDLE);
      return;
    }
    const controller = new AbortController();
    setAborter(controller);
    setAsked((before) => ({ ...before, loading: true }));
    request(controller.signal).then(
      (answer) => !controller.signal.aborted && setAsked({ loading: false, answer, error: null }),
      (error) => !isAbort(error) && setAsked({ loading: false, answer: null, error: told(error) }),
    );
    return () => controller.abort();
  }, causes);
  const cancel = useCallback(() => {
    aborter?.abort();
    setAsked((before) => ({ ...before, loading: false }));
  }, [aborter]);
  return { ...asked, cancel };
}

function told(error: unknown): ApiError {
  return error instanceof ApiError ? error : new ApiError("console", String(error));
}
