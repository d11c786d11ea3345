// Bars of the Pareto: by time or by count, with what they add up to. Pure.

import type { Text } from "./types";

export interface ParetoRow {
  equipment: string | null;
  code: string;
  text: Text;
  occurrences: number;
  duration_ms: number;
}

export interface Bar extends ParetoRow {
  size: number; // 0 to 1 of the longest bar
  share: number; // of all
  cumulative: number; // with those before it
  vital: boolean; // among those that make 80 %
}

export type By = "time" | "count";
const VITAL = 0.8;

export function bars(rows: readonly ParetoRow[], by: By, most = 20): Bar[] {
  const measure = (row: ParetoRow) => (by === "time" ? row.duration_ms : row.occurrences);
  const sorted = [...rows].sort((a, b) => measure(b) - measure(a));
  const sum = sorted.reduce((total, row) => total + measure(row), 0);
  const top = sorted.length ? measure(sorted[0] as ParetoRow) : 0;
  let before = 0;
  return sorted.slice(0, most).map((row) => {
    const share = sum > 0 ? measure(row) / sum : 0;
    const bar = { ...row, size: top > 0 ? measure(row) / top : 0, share, cumulative: sum > 0 ? (before + measure(row)) / sum : 0, vital: before < VITAL * sum };
    before += measure(row);
    return bar;
  });
}

// One day of a trend.
export interface Day {
  label: string;
  occurrences: number;
  duration_ms: number;
}

// Days with their height, 0 to 1 of the highest.
export function columns(days: readonly Day[], by: By): (Day & { size: number })[] {
  const measure = (day: Day) => (by === "time" ? day.duration_ms : day.occurrences);
  const top = Math.max(0, ...days.map(measure));
  return days.map((day) => ({ ...day, size: top > 0 ? measure(day) / top : 0 }));
}

// How a figure moved against the same time before; null where there is no basis.
export function change(now: number | null, before: number | null | undefined): number | null {
  return now === null || before === null || before === undefined ? null : now - before;
}

// A mean time as people say it: "3.8 h", "6.2 min".
export function spoken(seconds: number): string {
  const s = Math.abs(seconds);
  if (s < 90) return `${Math.round(s)} s`;
  if (s < 5400) return `${(s / 60).toFixed(1)} min`;
  return s < 172_800 ? `${(s / 3600).toFixed(1)} h` : `${(s / 86400).toFixed(1)} d`;
}
