/** Durations as Prometheus writes them, and moments as people read them. */

const UNITS: [string, number][] = [
  ["y", 365 * 86_400_000],
  ["w", 7 * 86_400_000],
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
  ["ms", 1],
];
const DURATION = /^(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/;

/** `1h30m` in ms; null if it is no duration, or none of any length. */
export function parseDuration(text: string): number | null {
  const found = DURATION.exec(text.trim());
  if (!found) return null;
  const total = UNITS.reduce((sum, [, size], at) => sum + Number(found[at + 1] ?? 0) * size, 0);
  return total > 0 ? total : null;
}

/** ms as `1h30m`; weeks and years only where nothing is left over. */
export function formatDuration(milliseconds: number): string {
  let left = Math.round(milliseconds);
  let text = "";
  for (const [unit, size] of UNITS) {
    const whole = (unit === "y" || unit === "w") && left % size !== 0;
    if (left < size || whole) continue;
    text += `${Math.floor(left / size)}${unit}`;
    left %= size;
  }
  return text || "0s";
}

const MOMENT = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:\d\d)?)?$/;

/** A moment such as `2026-01-02 03:04:05` in ms, UTC unless it or `local` says otherwise. */
export function parseMoment(text: string, local = false): number | null {
  const found = MOMENT.exec(text.trim());
  if (!found) return null;
  const [, day, clock = "00:00", zone = local ? "" : "Z"] = found;
  const moment = Date.parse(`${day}T${clock}${zone}`);
  return Number.isNaN(moment) ? null : moment;
}

/** ms as `2026-01-02 03:04:05`, in UTC or in the browser's time zone. */
export function formatMoment(milliseconds: number, local = false): string {
  const offset = local ? new Date(milliseconds).getTimezoneOffset() * 60_000 : 0;
  const moment = new Date(milliseconds - offset);
  if (Number.isNaN(moment.getTime())) return String(milliseconds / 1000);
  return moment.toISOString().slice(0, 19).replace("T", " ");
}

/** How long ago, in words. */
export function ago(milliseconds: number, now = Date.now()): string {
  const seconds = Math.max(0, Math.round((now - milliseconds) / 1000));
  if (seconds < 1) return "just now";
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86_400)} days ago`;
}
