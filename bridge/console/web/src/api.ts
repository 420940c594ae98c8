/** The HTTP API as the pages see it: requests, answers, errors. */

/** Every page lies directly below the folder of the API, whatever stands in front of it. */
const BASE = new URL("./", location.href);

/** The folder below which API and pages lie, without a slash at its end. */
export const BASE_URL = BASE.href.replace(/\/$/, "");

export interface Answer<T> {
  data: T;
  warnings: string[];
  infos: string[];
  /** What the cache had of it, if the bridge says so. */
  cache: string | null;
  /** From asking to the whole answer. */
  milliseconds: number;
}

/** An error in the API's own words; `type` is its errorType, or what went wrong on the way. */
export class ApiError extends Error {
  constructor(
    readonly type: string,
    message: string,
  ) {
    super(message);
  }
}

export type Parameters = Record<string, string | number | null | undefined>;

/** Asks `api/v1/<path>`; raises ApiError, or AbortError if `signal` says so. */
export async function ask<T>(
  path: string,
  parameters: Parameters = {},
  signal?: AbortSignal,
): Promise<Answer<T>> {
  const begun = performance.now();
  const response = await fetch(new URL(`api/v1/${path}`, BASE), {
    method: "POST",
    body: form(parameters),
    signal: signal ?? null,
  }).catch(unreachable);
  const envelope = await response.json().catch(() => null);
  if (envelope?.status !== "success") {
    throw refused(response, envelope);
  }
  return {
    data: envelope.data,
    warnings: envelope.warnings ?? [],
    infos: envelope.infos ?? [],
    cache: response.headers.get("X-Prombridge-Cache"),
    milliseconds: performance.now() - begun,
  };
}

function form(parameters: Parameters): URLSearchParams {
  const held = Object.entries(parameters).filter(([, value]) => value != null);
  return new URLSearchParams(held.map(([name, value]) => [name, String(value)]));
}

function unreachable(error: unknown): never {
  if (error instanceof DOMException && error.name === "AbortError") throw error;
  throw new ApiError("unreachable", "prombridge does not answer: is it still running?");
}

function refused(response: Response, envelope: { errorType?: string; error?: string } | null) {
  const status = `${response.status} ${response.statusText}`.trim();
  return new ApiError(
    envelope?.errorType ?? "http",
    envelope?.error ?? `The answer was no JSON of the API (${status}).`,
  );
}

export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}
