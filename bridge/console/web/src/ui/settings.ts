/** What a visitor chose, kept in the browser: theme and time zone. */

import { useEffect, useState } from "preact/hooks";

export type Theme = "system" | "light" | "dark";

export interface Settings {
  theme: Theme;
  localTime: boolean;
}

const KEY = "prombridge.console";
const DEFAULTS: Settings = { theme: "system", localTime: false };
const listeners = new Set<() => void>();
let current = { ...DEFAULTS, ...stored() };

function stored(): Partial<Settings> {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "{}");
  } catch {
    return {};
  }
}

/** The settings as they are, and as they become. */
export function useSettings(): Settings {
  const [settings, setSettings] = useState(current);
  useEffect(() => {
    const changed = () => setSettings(current);
    listeners.add(changed);
    return () => void listeners.delete(changed);
  }, []);
  return settings;
}

export function changeSettings(change: Partial<Settings>): void {
  current = { ...current, ...change };
  try {
    localStorage.setItem(KEY, JSON.stringify(current));
  } catch {
    // A browser that keeps nothing still shows what was chosen.
  }
  applyTheme();
  for (const changed of listeners) changed();
}

const darkSystem = matchMedia("(prefers-color-scheme: dark)");

/** Sets the theme on the document; the style sheet does the rest. */
export function applyTheme(): void {
  const dark = current.theme === "dark" || (current.theme === "system" && darkSystem.matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
}

/** Calls `changed` whenever the document's theme does; returns how to stop. */
export function onThemeChange(changed: () => void): () => void {
  const observer = new MutationObserver(changed);
  observer.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  return () => observer.disconnect();
}

darkSystem.addEventListener("change", applyTheme);
