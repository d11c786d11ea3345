import { expect, test } from "vitest";
import { next } from "../src/lib/arrows";

const GRID = [0, 1, 2, 3, 4].map((n) => ({ x: (n % 3) * 100, y: Math.floor(n / 3) * 80 }));

test.each([
  [1, "ArrowLeft", 0], [1, "ArrowRight", 2], [1, "ArrowDown", 4], [4, "ArrowUp", 1], [2, "ArrowDown", 4],
  [0, "ArrowUp", -1], [4, "ArrowRight", -1], [-1, "ArrowDown", 0],
])("from %d %s leads to %d", (from, key, to) => expect(next(GRID, from, key)).toBe(to));
