import { expect, test } from "vitest";
import { asQuery, fitting, spanOf, stepped, wallOf, PRESETS } from "../src/lib/range";
import { localPath } from "../src/lib/paths";

const now = Date.UTC(2026, 2, 20, 4, 0);
const zone = "Asia/Shanghai";

test("a preset ends now; nonsense is the standard", () => {
  expect(spanOf({ range: "24h", from: "", to: "" }, now, zone)).toEqual({ fromMs: now - 86_400_000, toMs: now });
  expect(spanOf({ range: "x", from: "", to: "" }, now, zone)).toEqual({ fromMs: now - 28_800_000, toMs: now });
  expect(spanOf({ range: "", from: "2026-03-20T12:00", to: "2026-03-20T11:00" }, now, zone).toMs).toBe(now);
});

test.each([
  [20, "1h"],
  [90, "8h"],
  [600, "8h"],
])("a record that began %i minutes ago is shown in %s", (minutes, preset) => {
  expect(fitting(new Date(now - minutes * 60_000).toISOString(), now, PRESETS, "8h")).toBe(preset);
});

test("where nothing is kept the longest span stands", () => {
  expect(fitting(null, now, PRESETS, "8h")).toBe("8h");
});

test("moments are of the site's wall clock, and a step moves by the whole span", () => {
  const span = spanOf({ range: "", from: "2026-03-20T08:00", to: "2026-03-20T10:00" }, now, zone);
  expect(asQuery(span)).toEqual({ from: "2026-03-20T00:00:00.000Z", to: "2026-03-20T02:00:00.000Z" });
  expect(stepped(span, -1, zone)).toEqual({ from: "2026-03-20T06:00", to: "2026-03-20T08:00" });
});

test.each([
  ["2026-03-20 08:00", "2026-03-20T08:00"], [" 2026-3-2  7:05", "2026-03-02T07:05"], ["2026-02-30 08:00", null], ["8:00", null], ["2026-03-20 25:00", null],
])("typed %s is %s", (typed, wall) => expect(wallOf(typed)).toBe(wall));

test.each([
  ["/eq/press-07?range=1h", "/eq/press-07?range=1h"], ["//evil.example", "/"], ["/\\evil.example", "/"], ["https://evil.example", "/"],
  ["/login?next=/", "/"], [undefined, "/"], ["/a\nb", "/"],
])("after the log-in %s leads to %s", (next, path) => expect(localPath(next)).toBe(path));
