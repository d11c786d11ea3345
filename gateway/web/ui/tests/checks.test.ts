import { expect, test } from "vitest";
import { spoken } from "../src/lib/checks";

const said = (detail: string | null) => spoken({ name: "x", ok: true, detail, since: null }, "Asia/Shanghai");

test.each([
  ["alive", "\u8fd0\u884c\u4e2d"], ["12 events wait", "12 \u6761\u5f85\u53d1"], ["confirmed up to 24875", "\u5df2\u786e\u8ba4\u5230 24\u2009875"],
  ["9.1 GiB of 40.0 GiB free", "\u5269\u4f59 9.1 GiB / 40.0 GiB"], ["2026-03-20T00:00:00.000Z .. 2026-03-20T01:00:00.000Z", "2026-03-20 08:00:00 \u2013 2026-03-20 09:00:00"],
  ["offline 1, online 59", "\u65ad\u5f00 1 \u00b7 \u5728\u7ebf 59"],
])("%s is said in Chinese", (detail, text) => expect(said(detail)).toBe(text));

test("what nobody knows is shown as it came", () => expect([said("disk: broken"), said(null)]).toEqual(["disk: broken", ""]));
