// What the board makes of tiles: counters, lines, order. Pure.

import type { State, Tile } from "./types";

export const STATES: readonly State[] = ["fault", "setup", "stopped", "maintenance", "idle", "offline", "running"];
export type Chip = State | "all" | "warning";
export const CHIPS: readonly Chip[] = ["all", ...STATES, "warning"];

// A tile that runs although faults are active: the amber badge, nothing more.
export const hasFaults = (tile: Tile): boolean => tile.faults.length > 0;

export function matches(tile: Tile, chip: Chip): boolean {
  if (chip === "all") return true;
  return chip === "warning" ? hasFaults(tile) : tile.state === chip;
}

export function counts(tiles: Iterable<Tile>): Record<Chip, number> {
  const found = Object.fromEntries(CHIPS.map((chip) => [chip, 0])) as Record<Chip, number>;
  for (const tile of tiles) {
    for (const chip of CHIPS) if (matches(tile, chip)) found[chip] += 1;
  }
  return found;
}

// How many links have answered or were judged, of all that are configured; null once that is all of them.
export function connecting(tiles: Iterable<Tile>): { n: number; of: number } | null {
  const waits = new Map<string, boolean>();
  for (const tile of tiles) {
    for (const { link, state } of tile.links) waits.set(link, (waits.get(link) ?? false) || state === "starting");
  }
  const waiting = [...waits.values()].filter(Boolean).length;
  return waiting === 0 ? null : { n: waits.size - waiting, of: waits.size };
}

// A search finds code, name in any language, line and order.
export function found(tile: Tile, search: string): boolean {
  const wanted = search.trim().toLowerCase();
  if (wanted === "") return true;
  const hay = [tile.equipment, ...Object.values(tile.name), tile.line, tile.area, tile.order?.order_no ?? ""];
  return hay.some((text) => text.toLowerCase().includes(wanted));
}

export interface Line {
  key: string;
  area: string;
  line: string;
  tiles: Tile[];
}

export const lineTitle = ({ area, line }: Pick<Line, "area" | "line">): string =>
  [area, line].filter((part) => part && part !== "_").join(" / ");

// Lines and machines in the order of the configuration: people find machines by place.
export function lines(tiles: Iterable<Tile>): Line[] {
  const found = new Map<string, Line>();
  for (const tile of tiles) {
    const key = `${tile.area}/${tile.line}`;
    const line = found.get(key) ?? { key, area: tile.area, line: tile.line, tiles: [] };
    line.tiles.push(tile);
    found.set(key, line);
  }
  return [...found.values()];
}

// Asked for explicitly: what stands first, longest first; equals keep their place.
const RANK: Record<State, number> = { fault: 0, offline: 1, stopped: 2, maintenance: 3, setup: 4, idle: 5, running: 6 };

export function problemsFirst(tiles: readonly Tile[]): Tile[] {
  const rank = (tile: Tile) => RANK[tile.state] - (tile.state === "running" && hasFaults(tile) ? 0.5 : 0);
  const since = (tile: Tile) => (tile.since === null ? Infinity : Date.parse(tile.since));
  return [...tiles].sort((a, b) => rank(a) - rank(b) || (rank(a) < 6 ? since(a) - since(b) : 0) || 0);
}

// The longest stops that are going on, for the foot of a television.
export function longestStops(tiles: Iterable<Tile>, most: number): Tile[] {
  return [...tiles]
    .filter((tile) => tile.state === "fault" || tile.state === "stopped")
    .filter((tile) => tile.since !== null)
    .sort((a, b) => Date.parse(a.since ?? "") - Date.parse(b.since ?? ""))
    .slice(0, most);
}

export const hasUrgent = (tile: Tile): boolean =>
  tile.faults.some((fault) => fault.priority === 1 && !fault.acked);

// What a tile measures itself by: the order where it says how many, else the shift's target.
export interface Plan {
  of: "order" | "shift";
  good: number;
  planned: number;
  due: number | null; // by now
}

export function plan({ order, figures }: Tile): Plan | null {
  if (order?.planned_qty && order.good !== null) return { of: "order", good: order.good, planned: order.planned_qty, due: order.due };
  if (figures?.target && figures.good !== null) return { of: "shift", good: figures.good, planned: figures.target, due: figures.due };
  return null;
}

// What counts as the good figure of a tile: the shift's where it is known, else the gateway's own total.
export function goodCounter(tile: Tile): { total: number; unit: string; kind: string | null } | null {
  return tile.counters.find((row) => row.kind === "good") ?? tile.counters.find((row) => row.kind === "total") ?? tile.counters[0] ?? null;
}
