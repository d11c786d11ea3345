import { expect, test } from "vitest";
import { CHIPS, connecting, counts, found, lines, longestStops, plan, problemsFirst, STATES } from "../src/lib/board";
import type { Tile } from "../src/lib/types";
import { fault, order, tile } from "./make";

const names = (tiles: readonly Tile[]) => tiles.map((one) => one.equipment);

test("the chips are the seven states, all, and those with faults", () => {
  expect(CHIPS).toHaveLength(9);
  expect([...STATES].sort()).toEqual(["fault", "idle", "maintenance", "offline", "running", "setup", "stopped"]);
});

test("a running machine with a warning counts as running and as one with faults", () => {
  const found = counts([tile("a", { faults: [fault({ priority: 3 })] }), tile("b", { state: "fault" })]);
  expect([found.all, found.running, found.fault, found.warning, found.idle]).toEqual([2, 1, 1, 1, 0]);
});

test("links are counted until each has answered or was judged", () => {
  const link = (name: string, state: "starting" | "offline" | "online") => ({ link: name, state, last_ok: null, rtt_ms: null, failures: 0, error: null });
  const tiles = [
    tile("a", { links: [link("shared", "online")] }),
    tile("b", { links: [link("shared", "online"), link("b.plc", "starting")] }),
    tile("c", { links: [link("c.plc", "offline")] }),
    tile("d", { links: [link("d.plc", "starting")] }),
  ];
  expect(connecting(tiles)).toEqual({ n: 2, of: 4 });
  expect(connecting([tiles[0]!, tiles[2]!])).toBeNull();
  expect(connecting([])).toBeNull();
});

test("a search finds code, name in either language, line and order", () => {
  const press = tile("press-07", { name: { zh: "\u51b2\u5e8a", en: "Press" }, order: order("WO-1") });
  expect(["", "S-07", "\u51b2", "line-1", "wo-1"].every((text) => found(press, text))).toBe(true);
  expect(found(press, "oven")).toBe(false);
});

test("lines and machines stay in the order of the configuration", () => {
  const all = lines([tile("b"), tile("x", { line: "line-2" }), tile("a")]);
  expect(all.map((line) => [line.key, names(line.tiles)])).toEqual([["stamping/line-1", ["b", "a"]], ["stamping/line-2", ["x"]]]);
});

test("problems first: worst, then longest; what runs keeps its place", () => {
  const at = (minute: number) => `2026-03-20T01:${minute}:00.000Z`;
  const tiles = [
    tile("r1", { since: at(50) }), tile("r2", { since: at(10) }), tile("idle", { state: "idle" }), tile("new", { state: "fault", since: at(40) }),
    tile("old", { state: "fault", since: at(30) }), tile("warned", { faults: [fault({ priority: 3 })] }),
  ];
  expect(names(problemsFirst(tiles))).toEqual(["old", "new", "idle", "warned", "r1", "r2"]);
});

test("the longest stops are faults and stops, longest first", () => {
  const at = (minute: number) => `2026-03-20T01:${minute}:00.000Z`;
  const tiles = [tile("a", { state: "fault", since: at(30) }), tile("b", { state: "stopped", since: at(20) }), tile("c", { state: "idle", since: at(10) }), tile("d", { state: "fault", since: null })];
  expect(names(longestStops(tiles, 3))).toEqual(["b", "a"]);
});

test("a tile measures itself by its order where that says how many, else by the shift", () => {
  const figures = { shift: "A", since: "2026-03-20T00:00:00.000Z", good: 40, reject: 0, target: 100, due: 50, oee: null, missing: null };
  const of = (more: Partial<Tile>) => plan(tile("a", { figures, ...more }));
  expect(of({ order: order("WO-1", { planned_qty: 500, good: 120, due: 130 }) })).toEqual({ of: "order", good: 120, planned: 500, due: 130 });
  const shift = { of: "shift", good: 40, planned: 100, due: 50 };
  expect([of({}), of({ order: order("WO-1") }), of({ order: order("WO-1", { planned_qty: 500 }) })]).toEqual([shift, shift, shift]);
  expect([of({ figures: null }), of({ figures: { ...figures, target: null } })]).toEqual([null, null]);
});
