/** Numbers as people read them. */

const SUFFIXES: [number, string][] = [
  [1e24, "Y"],
  [1e21, "Z"],
  [1e18, "E"],
  [1e15, "P"],
  [1e12, "T"],
  [1e9, "G"],
  [1e6, "M"],
  [1e3, "k"],
];
const BYTES = ["B", "KiB", "MiB", "GiB", "TiB"];
const counts = new Intl.NumberFormat("en-US");

/** A count with its thousands set apart. */
export function count(value: number): string {
  return counts.format(value);
}

/** A number on an axis: `1.5k`, `250m`, `2.00e-9`. */
export function short(value: number): string {
  const size = Math.abs(value);
  if (size === 0) return "0";
  for (const [factor, suffix] of SUFFIXES) {
    if (size >= factor) return `${trimmed(value / factor)}${suffix}`;
  }
  if (size >= 0.001) return trimmed(value);
  return value.toExponential(2);
}

function trimmed(value: number): string {
  return String(Number(value.toPrecision(4)));
}

/** Bytes in the largest unit that leaves a number above 1. */
export function bytes(value: number): string {
  let left = value;
  let unit = 0;
  while (left >= 1024 && unit < BYTES.length - 1) {
    left /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? left : left.toFixed(1)} ${BYTES[unit]}`;
}

export function percent(share: number): string {
  if (share > 0 && share < 0.001) return "< 0.1 %";
  return `${Number((share * 100).toFixed(share < 0.1 ? 1 : 0))} %`;
}

export function milliseconds(value: number): string {
  return value < 1000 ? `${Math.round(value)} ms` : `${(value / 1000).toFixed(2)} s`;
}

export function plural(number: number, noun: string): string {
  const many =
    noun === "series" ? noun : noun.endsWith("y") ? `${noun.slice(0, -1)}ies` : `${noun}s`;
  return `${count(number)} ${number === 1 ? noun : many}`;
}
