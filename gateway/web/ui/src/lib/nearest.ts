// Which machines an address that leads nowhere may have meant. Pure.

import type { Tile } from "./types";

// How many letters have to be put in, taken away or changed.
export function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, n) => n);
  for (let i = 1; i <= one.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= other.length; j += 1) {
      const same = one[i - 1] === other[j - 1] ? 0 : 1;
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + same));
    }
    row = next;
  }
  return row[other.length] ?? 0;
}

const LONGEST = 40;

// The nearest first; what has little in common with what was asked for is no help.
export function nearest(asked: string, tiles: Iterable<Tile>, most: number): Tile[] {
  const wanted = asked.toLowerCase().slice(0, LONGEST);
  if (wanted === "") return [];
  const rank = (tile: Tile): number => {
    const names = [tile.equipment, ...Object.values(tile.name)].filter(Boolean).map((name) => name.toLowerCase());
    return Math.min(...names.map((name) => (name.includes(wanted) ? 0.5 : distance(wanted, name))));
  };
  return [...tiles]
    .map((tile) => ({ tile, far: rank(tile) }))
    .filter(({ far }) => far <= Math.max(1, wanted.length / 3))
    .sort((a, b) => a.far - b.far)
    .slice(0, most)
    .map(({ tile }) => tile);
}
