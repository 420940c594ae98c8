/** The few signs on buttons. */

import type { JSX } from "preact";

function sign(...paths: string[]): () => JSX.Element {
  return () => (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
      {paths.map((path) => (
        <path d={path} key={path} />
      ))}
    </svg>
  );
}

export const Plus = sign("M8 3v10", "M3 8h10");
export const Minus = sign("M3 8h10");
export const Cross = sign("M4 4l8 8", "M12 4l-8 8");
export const Left = sign("M10 3L5 8l5 5");
export const Right = sign("M6 3l5 5-5 5");
export const Lines = sign("M2 11l4-5 3 3 5-6");
export const Stacked = sign("M2 8l4-3 3 2 5-4", "M2 13l4-3 3 1 5-3");
export const Tidy = sign("M2 4h12", "M5 8h9", "M5 12h6");
export const Sun = sign(
  "M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6",
  "M8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1 1M12 12l1 1M13 3l-1 1M4 12l-1 1",
);
export const Moon = sign("M13 9.5A5.5 5.5 0 0 1 6.5 3a5.5 5.5 0 1 0 6.5 6.5");
export const System = sign("M2 3h12v8H2z", "M6 14h4");
