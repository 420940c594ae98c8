/** What the bridge says of an answer's samples, in words: how much of them it remembered. */

import { plural } from "../numbers";

/** The words for a header `X-Prombridge-Cache`, such as `partial; blocks=3; gaps=1`. */
export function remembered(header: string): string {
  const [use = "", ...counts] = header.split("; ");
  const number = Object.fromEntries(counts.map((count) => count.split("=")));
  switch (use) {
    case "hit":
      return "all of it from memory";
    case "partial":
      return `from memory but for ${plural(Number(number.gaps), "read")}`;
    case "miss":
      return `${plural(Number(number.gaps), "read")}, nothing of it in memory`;
    default:
      return "read past the memory";
  }
}
