import { beforeEach, expect, test } from "vitest";
import { advice, spoken, trouble, type Check } from "../src/lib/checks";
import { lang } from "../src/lib/i18n";
import { linkTrouble } from "../src/lib/links";

const check = (name: string, code: string, values: Check["values"] = {}, ok: boolean | null = true): Check => ({ name, code, values, ok, detail: "as the server said it", since: null });
const said = (...of: Parameters<typeof check>) => spoken(check(...of), "Asia/Shanghai");

beforeEach(() => { lang.value = "zh"; });

test.each([
  ["collector", "alive", {}, "\u8fd0\u884c\u4e2d"], ["queue", "waiting", { events: 12 }, "12 \u6761\u5f85\u53d1"], ["broker", "confirmed", { seq: 24875 }, "\u5df2\u786e\u8ba4\u5230\u5e8f\u53f7 24\u2009875"],
  ["disk", "free", { free_bytes: 9.1 * 1024 ** 3, total_bytes: 40 * 1024 ** 3 }, "\u5269\u4f59 9.1 GiB / 40.0 GiB"], ["history", "kept", { from: "2026-03-20T00:00:00.000Z", to: "2026-03-20T01:00:00.000Z" }, "2026-03-20 08:00:00 \u2013 2026-03-20 09:00:00"],
  ["queue", "filling", { events: 12, percent: 71 }, "12 \u6761\u5f85\u53d1\uff0c\u5df2\u5360\u672c\u5730\u65e5\u5fd7\u914d\u989d\u7684 71 %"],
  ["links", "links", { offline: 1, online: 59 }, "\u65ad\u5f00 1 \u00b7 \u5728\u7ebf 59"],
])("%s %s is said in Chinese", (name, code, values, text) => expect(said(name, code, values as Check["values"])).toBe(text));

test("a clock that was set says how often and by how much", () => {
  lang.value = "en";
  expect(said("clock", "synced", { steps: 0, days: 7 })).toBe("synchronised by a time server");
  expect(said("clock", "synced", { steps: 2, days: 7, last_step_ms: -3_600_000 })).toBe("synchronised by a time server \u00b7 set 2 times in 7 days, last by -3600 s");
});

test("what is bad says what to do, what is well does not", () => {
  expect(advice(check("clock", "unsynced", {}, false))).toContain("clock: trusted");
  expect([advice(check("clock", "synced")), advice(check("x", "newer", {}, false))]).toEqual(["", ""]);
});

test("a code newer than the page is shown as it came", () => expect(said("x", "newer")).toBe("as the server said it"));

test("why the journal cannot be read is said in Chinese, the system's words behind it", () =>
  expect(trouble({ alive: true, at: null, problem: "malformed", problem_code: "damaged" })).toBe("\u672c\u5730\u65e5\u5fd7\u6587\u4ef6\u5df2\u635f\u574f (malformed)"));

test("what a driver advises is said in the language of the page", () => {
  const error = { class: "Rejected", text: "no", hint: "in English", advice: { zh: "\u68c0\u67e5", en: "in English" } };
  lang.value = "zh";
  expect(linkTrouble(error)).toMatch(/\u2013 \u68c0\u67e5$/);
  lang.value = "en";
  expect(linkTrouble(error)).toBe("the device said no (no) \u2013 in English");
  lang.value = "zh";
});

test("a link in trouble is said in Chinese, with advice of ours where the driver's is English", () => {
  const error = { class: "Rejected", text: "Illegal data address", hint: "in English" };
  expect(linkTrouble(error)).toBe("\u8bbe\u5907\u62d2\u7edd\u4e86\u8bf7\u6c42 (Illegal data address) \u2013 \u68c0\u67e5\u5730\u5740\u662f\u5426\u5b58\u5728\uff0c\u8bbe\u5907\u662f\u5426\u5141\u8bb8\u8bfb\u53d6");
  lang.value = "en";
  expect(linkTrouble(error)).toBe("the device said no (Illegal data address) \u2013 in English");
});
