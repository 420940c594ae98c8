/** What a panel shows, and how a URL says it: Prometheus' own parameters, of 2.x and 3.x. */

import { formatDuration, formatMoment, parseDuration, parseMoment } from "../time";

export type Tab = "table" | "graph" | "explain";
export type Display = "lines" | "stacked";
export type Density = "low" | "medium" | "high";
/** `step` is in ms. */
export type Resolution =
  | { type: "auto"; density: Density }
  | { type: "fixed" | "custom"; step: number };

export interface PanelState {
  /** Tells panels apart while they live; no part of the URL. */
  key: number;
  expr: string;
  tab: Tab;
  /** ms. */
  range: number;
  /** ms; null is now. Also the moment of the table. */
  end: number | null;
  resolution: Resolution;
  display: Display;
}

const POINTS: Record<Density, number> = { low: 100, medium: 250, high: 1000 };
const TABS: Record<string, Tab> = {
  "0": "graph",
  "1": "table",
  graph: "graph",
  table: "table",
  explain: "explain",
};
let lastKey = 0;

export function newPanel(): PanelState {
  lastKey += 1;
  return {
    key: lastKey,
    expr: "",
    tab: "table",
    range: 3_600_000,
    end: null,
    resolution: { type: "auto", density: "medium" },
    display: "lines",
  };
}

/** The step of a graph in ms: with `auto`, whole seconds. Prometheus' `getEffectiveResolution`. */
export function stepOf({ resolution, range }: PanelState): number {
  if (resolution.type !== "auto") return resolution.step;
  return Math.max(Math.floor(range / 1000 / POINTS[resolution.density]), 1) * 1000;
}

export function panelsOf(search: string): PanelState[] {
  const parameters = new URLSearchParams(search);
  const panels: PanelState[] = [];
  while (parameters.has(`g${panels.length}.expr`)) {
    const at = panels.length;
    panels.push(panelOf((name) => parameters.get(`g${at}.${name}`)));
  }
  return panels;
}

function panelOf(held: (name: string) => string | null): PanelState {
  const panel = newPanel();
  const end = held("moment_input") ?? held("end_input");
  return {
    ...panel,
    expr: held("expr") ?? "",
    tab: TABS[held("tab") ?? ""] ?? panel.tab,
    range: parseDuration(held("range_input") ?? "") ?? panel.range,
    end: end ? parseMoment(end) : null,
    resolution: resolutionOf(held) ?? panel.resolution,
    display: held("display_mode") === "stacked" || held("stacked") === "1" ? "stacked" : "lines",
  };
}

function resolutionOf(held: (name: string) => string | null): Resolution | null {
  const type = held("res_type");
  if (type === "auto") {
    const density = held("res_density") ?? "";
    return density in POINTS ? { type, density: density as Density } : null;
  }
  const step = Number.parseFloat(held("res_step") ?? held("step_input") ?? "") * 1000;
  if (!(step >= 1)) return null;
  return { type: type === "fixed" ? "fixed" : "custom", step };
}

/** The query part of the panels' URL, as Prometheus 3 writes it. */
export function searchOf(panels: readonly PanelState[]): string {
  const parameters = new URLSearchParams();
  panels.forEach((panel, at) => {
    for (const [name, value] of pairsOf(panel)) parameters.append(`g${at}.${name}`, value);
  });
  return `?${parameters}`;
}

function pairsOf(panel: PanelState): [string, string][] {
  const { resolution } = panel;
  return [
    ["expr", panel.expr],
    ["tab", panel.tab],
    ...(panel.end === null ? [] : endOf(panel.end)),
    ["range_input", formatDuration(panel.range)],
    ["res_type", resolution.type],
    resolution.type === "auto"
      ? ["res_density", resolution.density]
      : ["res_step", String(resolution.step / 1000)],
    ["display_mode", panel.display],
  ];
}

function endOf(end: number): [string, string][] {
  const text = formatMoment(end);
  return [
    ["end_input", text],
    ["moment_input", text],
  ];
}
