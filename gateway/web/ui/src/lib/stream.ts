// What the live stream's messages make of the model. Pure: the socket is in live.ts.

import type { Collector, Site, Tile } from "./types";

export const STALE_MS = 5000;

export interface Head {
  now: string;
  rev: number;
  collector: Collector;
}

export interface Hello extends Head {
  site: Site;
  tiles: Tile[];
}

export interface Changes extends Head {
  set: Record<string, Partial<Tile>>;
  del: string[];
}

export type Tiles = Map<string, Tile>;

// A full snapshot replaces all there was.
export function replaceAll(tiles: Tiles, hello: Hello): void {
  tiles.clear();
  for (const tile of hello.tiles) tiles.set(tile.equipment, tile);
}

// What changed replaces those tiles; an equipment that is new comes with all its fields.
export function apply(tiles: Tiles, { set, del }: Changes): void {
  for (const id of del) tiles.delete(id);
  for (const [id, fields] of Object.entries(set)) {
    tiles.set(id, { ...tiles.get(id), ...fields } as Tile);
  }
}

// The server's time and this page's monotonic clock at the newest message: panel PCs' clocks are wrong.
export interface Anchor {
  serverMs: number;
  pageMs: number;
}

export const isStale = (anchor: Anchor | null, pageMs: number): boolean =>
  anchor !== null && pageMs - anchor.pageMs > STALE_MS;

// The server's clock. It stands still at the last message while stale, because then nobody knows.
export function serverNow(anchor: Anchor | null, pageMs: number): number {
  if (anchor === null) return 0;
  return isStale(anchor, pageMs) ? anchor.serverMs : anchor.serverMs + pageMs - anchor.pageMs;
}
