import { expect, test } from "vitest";
import { fit, pages } from "../src/lib/television";

const [width, height] = [1904, 980];

test("sixty machines in four lines fill a full-HD screen without scrolling", () => {
  const found = fit([15, 15, 15, 15], width, height);
  expect(found.fits).toBe(true);
  const rows = 4 * Math.ceil(15 / found.columns);
  expect(rows * (found.tileHeightPx + 8) + 4 * 34).toBeLessThanOrEqual(height);
  expect(pages([15, 15, 15, 15], [], width, height)).toEqual([[0, 1, 2, 3]]);
});

test("few machines have large text that is not wider than its tile", () => {
  for (const counts of [[15, 15], [15], [4], [1]]) {
    const found = fit(counts, width, height);
    expect(found.fits).toBe(true);
    expect(found.fontPx).toBeGreaterThanOrEqual(22);
    expect(found.fontPx * 11).toBeLessThanOrEqual((width - 8 * (found.columns - 1)) / found.columns);
  }
});

test("what does not fit is paged, and every line comes", () => {
  const many = Array.from({ length: 12 }, () => 15);
  const found = pages(many, [], width, height);
  expect(found.length).toBeGreaterThan(1);
  expect(found.flat().sort((a, b) => a - b)).toEqual(many.map((_, index) => index));
});

test("a line with an unacknowledged priority 1 is on every page", () => {
  const found = pages(Array.from({ length: 12 }, () => 15), [11], width, height);
  expect(found.every((page) => page.includes(11))).toBe(true);
});

test("no machine at all is one empty page", () => expect(pages([], [], width, height)).toEqual([[]]));
