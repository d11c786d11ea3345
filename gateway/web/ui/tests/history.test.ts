import { expect, test } from "vitest";
import { option, type Look, type Speech } from "../src/lib/chart";
import { columns } from "../src/lib/pareto";
import { clipped, made, merged, partAbout, shares, splitRange, type Interval } from "../src/lib/history";

const minute = (n: number) => Date.UTC(2026, 2, 20, 1, n);
const iso = (n: number) => new Date(minute(n)).toISOString();

function interval(id: string, state: Interval["state"], from: number, to: number | null): Interval {
  return { id, state, since: iso(from), until: to === null ? null : iso(to), duration_ms: 0, reason: null, mode: "auto", order_no: null, quality: "good", cause: "sample", note: null, part_of: null };
}

const span = { fromMs: minute(10), toMs: minute(30) };

test("states are cut to the span, one that began before it too; the last goes to now", () => {
  const blocks = clipped([interval("a", "running", 0, 12), interval("b", "fault", 12, 15), interval("c", "running", 15, null)], span, minute(20));
  expect(blocks.map((block) => [block.state, block.fromMs, block.toMs])).toEqual([
    ["running", minute(10), minute(12)], ["fault", minute(12), minute(15)], ["running", minute(15), minute(20)],
  ]);
});

test("a state outside of the span is left out", () => expect(clipped([interval("a", "idle", 0, 10)], span, minute(20))).toEqual([]));

test("four short states in a row become one block, three stay themselves", () => {
  const short = [0, 1, 2, 3].map((n) => ({ fromMs: n, toMs: n + 1, state: "idle" as const, interval: null, count: 1 }));
  const long = { fromMs: 4, toMs: 100, state: "running" as const, interval: null, count: 1 };
  expect(merged([...short, long], 5)).toEqual([{ fromMs: 0, toMs: 4, state: "many", interval: null, count: 4 }, long]);
  expect(merged([...short.slice(1), long], 5)).toHaveLength(4);
});

test("time in states adds up to all of it", () => {
  const found = shares(clipped([interval("a", "running", 10, 25), interval("b", "fault", 25, 30)], span, minute(40)));
  expect(found.map((one) => [one.state, one.times, one.share])).toEqual([["running", 1, 0.75], ["fault", 1, 0.25]]);
});

test("parts of one state are counted once and take what it takes", () => {
  const part = (from: number, to: number, id: string) => ({ ...interval(id, "idle", from, to), part_of: "a" });
  const found = shares(clipped([part(10, 15, "a"), part(15, 30, `a@${iso(15)}`)], span, minute(40)));
  expect(found).toEqual([{ state: "idle", ms: minute(20) - minute(0), times: 1, share: 1 }]);
});

test("a state is split strictly within it, a long one by the minute", () => {
  const short = splitRange({ since: iso(0), until: iso(1), duration_ms: 0 })!;
  expect([short.leastMs, short.mostMs, short.middleMs, short.stepMs]).toEqual([minute(0) + 1000, minute(1) - 1000, minute(0) + 30_000, 1000]);
  const long = splitRange({ since: iso(0), until: null, duration_ms: 3 * 3_600_000 })!;
  expect([long.leastMs, long.mostMs, long.stepMs]).toEqual([minute(1), minute(179), 60_000]);
  expect(splitRange({ since: iso(0), until: null, duration_ms: 1000 })).toBeNull();
});

test("a part of a part is a part of the whole", () => {
  expect(partAbout(interval("a", "idle", 0, 10), minute(5))).toBe("a@2026-03-20T01:05:00.000Z");
  expect(partAbout({ id: "a@2026-03-20T01:05:00.000Z", part_of: "a" }, minute(7))).toBe("a@2026-03-20T01:07:00.000Z");
});

test("good is what is counted as good, else the total without the rejects", () => {
  const bucket = (values: Record<string, [string, number]>) => ({
    from: iso(0), to: iso(60), label: "h", anomalies: 0,
    values: Object.fromEntries(Object.entries(values).map(([name, [kind, quantity]]) => [name, { kind, quantity, unit: "1" }])),
  });
  const found = made([bucket({ g: ["good", 5], r: ["reject", 2], t: ["total", 9] }), bucket({ t: ["total", 9], r: ["reject", 2] }), bucket({})]);
  expect(found.map((one) => [one.good, one.reject])).toEqual([[5, 2], [7, 2], [0, 0]]);
});

test("a trend shows its limits, and what is beyond them in red", () => {
  const look: Look = { ink: "", ink2: "", line: "", bar: "", font: "", states: { running: "", idle: "", stopped: "", setup: "", fault: "red", offline: "", maintenance: "", many: "" } };
  const speech = { axis: String, block: String, made: String, reading: String, name: String, counts: "", at: String } as unknown as Speech;
  const points: [number, number, number, number][] = [[0, 38, 41, 40], [1, 39, 47, 42], [2, 30, 40, 38]];
  const drawn = (limits: { low: number | null; high: number | null } | null) =>
    option({ span, blocks: [], made: [], readings: [{ tag: "p", name: {}, unit: "bar", limits, points }] }, look, speech);
  type Series = { id: string; data: unknown; markArea?: { data: unknown } };
  const series = (of: ReturnType<typeof drawn>, id: string) => (of["series"] as Series[]).find((one) => one.id === id);
  const both = drawn({ low: 37, high: 43 });
  expect(series(both, "p out")?.data).toEqual([[0, null], [1, 47], [2, 30]]);
  expect(series(both, "p")?.markArea?.data).toEqual([[{ yAxis: 37 }, { yAxis: 43 }]]);
  const axis = (both["yAxis"] as { max?: (of: { max: number }) => number }[])[2];
  expect([axis?.max?.({ max: 41 }), axis?.max?.({ max: 47 })]).toEqual([43, 47]);
  expect(series(drawn({ low: null, high: null }), "p out")).toBeUndefined();
});

test("days of a trend are as high as the worst of them says", () => {
  const day = (label: string, occurrences: number, duration_ms: number) => ({ label, occurrences, duration_ms });
  const days = [day("a", 1, 300), day("b", 4, 150), day("c", 0, 0)];
  expect(columns(days, "time").map((one) => one.size)).toEqual([1, 0.5, 0]);
  expect(columns(days, "count").map((one) => one.size)).toEqual([0.25, 1, 0]);
  expect(columns([day("a", 0, 0)], "time")[0]?.size).toBe(0);
});
