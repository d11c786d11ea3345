// How many columns, and which lines at a time, fill a screen without scrolling. Pure.

export interface Fit {
  columns: number;
  tileHeightPx: number;
  fontPx: number;
  fits: boolean;
}

const GAP_PX = 8;
const HEAD_PX = 34; // a line's heading
const MIN_TILE_PX = 84;
const MAX_TILE_PX = 190;
const MIN_WIDTH_PX = 190;
const MAX_COLUMNS = 12;
const LINES_OF_TEXT = 5.6; // a tile is so many times as high as its text
const LINE_OF_STATE = 11; // and so many times as wide: sign, state, age and code stand beside each other

const rows = (counts: readonly number[], columns: number): number =>
  counts.reduce((sum, count) => sum + Math.ceil(count / columns), 0);

// The columns that give the largest text; `counts` are the machines of each line.
export function fit(counts: readonly number[], widthPx: number, heightPx: number): Fit {
  let best: Fit = { columns: 1, tileHeightPx: 0, fontPx: 0, fits: false };
  const most = Math.max(1, Math.min(MAX_COLUMNS, Math.floor(widthPx / MIN_WIDTH_PX)));
  for (let columns = Math.min(4, most); columns <= most; columns += 1) {
    const free = heightPx - counts.length * HEAD_PX - rows(counts, columns) * GAP_PX;
    const height = Math.min(MAX_TILE_PX, Math.floor(free / Math.max(1, rows(counts, columns))));
    const tileWidthPx = (widthPx - (columns - 1) * GAP_PX) / columns;
    const fontPx = Math.max(12, Math.floor(Math.min(height / LINES_OF_TEXT, tileWidthPx / LINE_OF_STATE)));
    if (fontPx > best.fontPx || height > best.tileHeightPx && fontPx === best.fontPx) best = { columns, tileHeightPx: height, fontPx, fits: height >= MIN_TILE_PX };
  }
  return best;
}

// Lines in pages that fit; those in `always` (an unacknowledged priority 1) are on every page.
export function pages(counts: readonly number[], always: readonly number[], widthPx: number, heightPx: number): number[][] {
  const all = counts.map((_, index) => index);
  const fitting = (indices: number[]) => fit(indices.map((index) => counts[index] ?? 0), widthPx, heightPx).fits;
  if (fitting(all)) return [all];
  const kept = all.filter((index) => always.includes(index));
  const found: number[][] = [];
  let page = [...kept];
  for (const index of all.filter((one) => !kept.includes(one))) {
    const longer = [...page, index].sort((a, b) => a - b);
    if (page.length > kept.length && !fitting(longer)) {
      found.push(page);
      page = [...kept, index].sort((a, b) => a - b);
    } else page = longer;
  }
  found.push(page);
  return found;
}
