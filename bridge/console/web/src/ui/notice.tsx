/** Boxes that say what happened: errors, warnings, nothing there. */

import type { ComponentChildren } from "preact";
import type { ApiError } from "../api";

const TITLES: Record<string, string> = {
  bad_data: "This cannot be asked",
  execution: "The query could not be evaluated",
  timeout: "Time ran out",
  unavailable: "A store is unavailable",
  canceled: "Cancelled",
  unreachable: "No connection",
};

export function Failure({ error }: { error: ApiError }) {
  return (
    <div class="notice error" role="alert">
      <strong>{TITLES[error.type] ?? "Error"}</strong>
      <span class="notice-text">{error.message}</span>
    </div>
  );
}

/** The remarks of an answer. */
export function Remarks({ warnings, infos }: { warnings: string[]; infos: string[] }) {
  return (
    <>
      {warnings.map((text) => (
        <div class="notice warning" role="status" key={text}>
          <strong>Warning</strong>
          <span class="notice-text">{text}</span>
        </div>
      ))}
      {infos.map((text) => (
        <div class="notice info" role="status" key={text}>
          <strong>Info</strong>
          <span class="notice-text">{text}</span>
        </div>
      ))}
    </>
  );
}

export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children && <p>{children}</p>}
    </div>
  );
}
