import { expect, test } from "vitest";
import { grouped, held, ordered, shownFaults, unacked } from "../src/lib/faults";
import { bars, change, spoken } from "../src/lib/pareto";
import type { Fault } from "../src/lib/types";

function fault(fault_id: string, more: Partial<Fault> = {}): Fault {
  return {
    fault_id, equipment: "press-07", name: {}, area: "stamping", line: "line-1", code: "E1", text: {}, remedy: {}, cause: {}, severity: 950, priority: 1,
    category: "equipment", stops_machine: true, raised_at: "2026-03-20T01:00:00.000Z", cleared_at: null, active: true, acked: null, shelved_until: null,
    comments: [], count: 1, chattering: false, first_up: false, flood: false, quality: "good", ...more,
  };
}
const ids = (faults: readonly Fault[]) => faults.map((one) => one.fault_id);
const all = { line: "", priority: "", shelved: false, equipment: "", by: "" };

test("unacknowledged first, then the urgent, then the old", () => {
  const acked = { by: "zhang", at: null };
  const list = [fault("acked", { acked }), fault("p3", { priority: 3 }), fault("new", { raised_at: "2026-03-20T01:30:00.000Z" }), fault("old")];
  expect(ids(ordered(list))).toEqual(["old", "new", "p3", "acked"]);
});

test("shelved ones are in their own list and count for nothing", () => {
  const list = [fault("a"), fault("b", { shelved_until: "2026-03-20T02:00:00.000Z" })];
  expect(ids(shownFaults(list, all))).toEqual(["a"]);
  expect(ids(shownFaults(list, { ...all, shelved: true }))).toEqual(["b"]);
  expect(unacked(list)).toBe(1);
});

test("filters are by line, priority and machine", () => {
  const list = [fault("a"), fault("b", { line: "line-2", priority: 2, equipment: "oven-01" })];
  expect(ids(shownFaults(list, { ...all, line: "stamping / line-2" }))).toEqual(["b"]);
  expect(ids(shownFaults(list, { ...all, priority: "1" }))).toEqual(["a"]);
  expect(ids(shownFaults(list, { ...all, equipment: "oven-01" }))).toEqual(["b"]);
});

test("mine are those that I acknowledged or commented", () => {
  const comments = [{ by: "li", at: "", comment: "looked at it" }];
  const list = [fault("a"), fault("b", { acked: { by: "li", at: null } }), fault("c", { comments }), fault("d", { acked: { by: "wang", at: null } })];
  expect(ids(shownFaults(list, { ...all, by: "li" }))).toEqual(["b", "c"]);
});

test("rows under a finger keep their place, new ones are counted, gone ones go", () => {
  const found = held([fault("new"), fault("b"), fault("a")], ["a", "gone", "b"]);
  expect([ids(found.rows), found.waiting]).toEqual([["a", "b"], 1]);
});

test("more than ten at once on one machine are one group, what came first first", () => {
  const flood = Array.from({ length: 11 }, (_, n) => fault(`f${n}`, { flood: true, first_up: n === 7 }));
  const groups = grouped([...flood, fault("other", { equipment: "oven-01" })]);
  expect(groups.map((group) => group.faults.length)).toEqual([11, 1]);
  expect(groups[0]?.faults[0]?.fault_id).toBe("f7");
  expect(grouped(flood.slice(0, 10))).toHaveLength(10);
});

test("bars are sorted by what is asked, with what they add up to and the vital few", () => {
  const row = (code: string, occurrences: number, duration_ms: number) => ({ equipment: null, code, text: {}, occurrences, duration_ms });
  const rows = [row("A", 1, 60), row("B", 8, 30), row("C", 1, 10)];
  expect(bars(rows, "time").map((bar) => [bar.code, bar.cumulative, bar.vital, bar.size])).toEqual([["A", 0.6, true, 1], ["B", 0.9, true, 0.5], ["C", 1, false, 10 / 60]]);
  expect(bars(rows, "count").map((bar) => bar.code)).toEqual(["B", "A", "C"]);
  expect(bars([], "time")).toEqual([]);
});

test("a change needs both figures", () => expect([change(3, 5), change(null, 5), change(3, undefined)]).toEqual([-2, null, null]));

test.each([[45, "45 s"], [372, "6.2 min"], [13680, "3.8 h"], [-13680, "3.8 h"], [200_000, "2.3 d"]])("%d s is spoken %s", (s, text) => expect(spoken(s)).toBe(text));
