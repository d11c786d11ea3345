import { expect, test } from "vitest";
import { apply, isStale, replaceAll, serverNow, type Tiles } from "../src/lib/stream";
import { tile } from "./make";

const head = { now: "2026-03-20T01:00:00.000Z", rev: 1, collector: { alive: true, at: null, problem: null, problem_code: null } };
const hello = (...names: string[]) => ({
  ...head, site: { site: "s", gateway: "g", timezone: "UTC" }, tiles: names.map((name) => tile(name)),
});

test("a hello replaces all there was, in its order", () => {
  const tiles: Tiles = new Map([["gone", tile("gone")]]);
  replaceAll(tiles, hello("b", "a"));
  expect([...tiles.keys()]).toEqual(["b", "a"]);
});

test("changed fields replace the tile and leave the others the same objects", () => {
  const tiles: Tiles = new Map();
  replaceAll(tiles, hello("a", "b"));
  const [a, b] = [tiles.get("a"), tiles.get("b")];
  apply(tiles, { ...head, set: { a: { state: "fault" } }, del: [] });
  expect(tiles.get("a")).toEqual({ ...a, state: "fault" });
  expect(tiles.get("a")).not.toBe(a);
  expect(tiles.get("b")).toBe(b);
  expect([...tiles.keys()]).toEqual(["a", "b"]);
});

test("equipment comes and goes", () => {
  const tiles: Tiles = new Map();
  replaceAll(tiles, hello("a"));
  apply(tiles, { ...head, set: { c: tile("c") }, del: ["a"] });
  expect([...tiles.keys()]).toEqual(["c"]);
});

test("the server's clock runs on this page's, and stands still once nothing comes", () => {
  const anchor = { serverMs: 1_000_000, pageMs: 500 };
  expect(serverNow(null, 9)).toBe(0);
  expect([serverNow(anchor, 1500), isStale(anchor, 1500)]).toEqual([1_001_000, false]);
  expect([serverNow(anchor, 5501), isStale(anchor, 5501)]).toEqual([1_000_000, true]);
  expect(isStale(null, 99_999)).toBe(false);
});
