import { describe, expect, test } from "vitest";
import { clock, duration, localized, moment, msToWall, number, percent, signed, unit, wallToMs } from "../src/lib/format";

test.each([
  [-5, "0:00"], [0, "0:00"], [59.9, "0:59"], [61, "1:01"], [3599, "59:59"],
  [3600, "1h00"], [3900, "1h05"], [86399, "23h59"], [86400, "1d0h"], [273600, "3d4h"],
])("a duration of %d s is %s", (seconds, text) => expect(duration(seconds)).toBe(text));

test.each([
  [0, "0"], [9999, "9999"], [10000, "10\u2009000"], [1234567, "1\u2009234\u2009567"], [-10000, "-10\u2009000"],
  [1.23456, "1.235"], [12345.5, "12\u2009345.5"],
])("%d is written %s", (value, text) => expect(number(value)).toBe(text));

test("shares are whole percents unless asked for more", () => {
  expect([percent(0.716), percent(0.716, 1)]).toEqual(["72%", "71.6%"]);
});

test("a unit is written as people do, an unknown one as it came", () => {
  expect(["1", "kW.h", "mm"].map(unit)).toEqual(["", "kWh", "mm"]);
});

test("a text falls back to the other language, then to what is given", () => {
  expect(localized({ zh: "", en: "Press" }, "zh")).toBe("Press");
  expect(localized(null, "en", "press-07")).toBe("press-07");
});

describe("the site's wall clock", () => {
  const shanghai = "Asia/Shanghai";
  const midnight = Date.UTC(2026, 2, 19, 16, 0, 5);

  test("has no AM and PM, and midnight is 00", () => expect(clock(midnight, shanghai)).toBe("2026-03-20 00:00:05"));

  test("leaves out the date of today only", () => {
    expect(moment(midnight, midnight + 3600_000, shanghai)).toBe("00:00:05");
    expect(moment(midnight, midnight + 86400_000, shanghai)).toBe("2026-03-20 00:00:05");
  });

  test.each([
    ["Asia/Shanghai", "2026-03-20T00:00"], ["UTC", "2026-01-01T12:30"], ["America/New_York", "2026-03-08T03:30"],
    ["Europe/Berlin", "2026-10-25T01:59"],
  ])("goes to UTC and back in %s", (zone, wall) => expect(msToWall(wallToMs(wall, zone), zone)).toBe(wall));
});

test("a difference has its sign", () => expect([12, -3.5, 0, 12345].map(signed)).toEqual(["+12", "-3.5", "0", "+12\u2009345"]));
