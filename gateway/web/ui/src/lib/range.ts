// Spans of time that pages ask for, in the address: "8h", or two moments of the site's wall clock.

import { msToWall, wallToMs } from "./format";

export interface Span {
  fromMs: number;
  toMs: number;
}

export const PRESETS = ["1h", "8h", "24h", "7d", "30d"] as const;
export type Preset = (typeof PRESETS)[number];
const HOURS: Record<Preset, number> = { "1h": 1, "8h": 8, "24h": 24, "7d": 168, "30d": 720 };
const HOUR_MS = 3_600_000;

export interface Asked {
  range: string; // a preset, or "" with from and to
  from: string; // "YYYY-MM-DDTHH:mm"
  to: string;
}

const isPreset = (range: string): range is Preset => (PRESETS as readonly string[]).includes(range);

// `otherwise` where the address asks for nothing that makes sense.
export function spanOf(asked: Asked, nowMs: number, zone: string, otherwise: Preset = "8h"): Span {
  const from = asked.from ? wallToMs(asked.from, zone) : NaN;
  const to = asked.to ? wallToMs(asked.to, zone) : nowMs;
  if (from < to) return { fromMs: from, toMs: to };
  const hours = HOURS[isPreset(asked.range) ? asked.range : otherwise];
  return { fromMs: nowMs - hours * HOUR_MS, toMs: nowMs };
}

// The shortest of `presets` up to `longest` that shows all there is: on a young record eight hours are an empty chart.
export function fitting(keptFrom: string | null | undefined, nowMs: number, presets: readonly Preset[], longest: Preset): Preset {
  const kept = keptFrom ? Date.parse(keptFrom) : NaN;
  return presets.find((preset) => HOURS[preset] <= HOURS[longest] && nowMs - kept <= HOURS[preset] * HOUR_MS) ?? longest;
}

// One span back or forward, as an address asks for it.
export function stepped(span: Span, way: 1 | -1, zone: string): { from: string; to: string } {
  const length = span.toMs - span.fromMs;
  return { from: msToWall(span.fromMs + way * length, zone), to: msToWall(span.toMs + way * length, zone) };
}

export const asQuery = (span: Span): { from: string; to: string } => ({
  from: new Date(span.fromMs).toISOString(),
  to: new Date(span.toMs).toISOString(),
});

// What a person typed as a moment -> "YYYY-MM-DDTHH:mm", null if it is none.
export function wallOf(typed: string): string | null {
  const found = /^\s*(\d{4})-(\d{1,2})-(\d{1,2})[ T]+(\d{1,2}):(\d{2})/.exec(typed);
  if (!found) return null;
  const [year = "", month = "", day = "", hour = "", minute = ""] = found.slice(1).map((part) => part.padStart(2, "0"));
  const wall = `${year}-${month}-${day}T${hour}:${minute}`;
  const ms = Date.parse(`${wall}Z`);
  return Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 16) !== wall ? null : wall;
}

export const daysBack = (days: number, nowMs: number): { from: string } => ({ from: new Date(nowMs - days * 24 * HOUR_MS).toISOString() });
