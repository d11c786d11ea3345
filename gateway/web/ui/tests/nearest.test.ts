import { expect, test } from "vitest";
import { rawWord } from "../src/lib/around";
import { distance, nearest } from "../src/lib/nearest";
import { tile } from "./make";

const all = [tile("oven-01"), tile("press-07", { name: { zh: "7\u53f7\u51b2\u5e8a", en: "Press 7" } }), tile("press-70")];
const names = (asked: string) => nearest(asked, all, 5).map((one) => one.equipment);

test("letters put in, taken away or changed are counted", () => {
  expect([distance("", "abc"), distance("abc", "abc"), distance("prss-7", "press-07"), distance("kitten", "sitting")]).toEqual([3, 0, 2, 3]);
});

test("a machine is found by what is nearly its code or its name, the nearest first", () => {
  expect(names("Press-07x")).toEqual(["press-07", "press-70"]);
  expect(names("\u51b2\u5e8a")).toEqual(["press-07"]);
  expect([names("nothing"), names("")]).toEqual([[], []]);
});

test("a word of a controller is shown as its manual writes it", () => {
  expect([rawWord(5), rawWord(0x12345), rawWord(-1), rawWord(1.5), rawWord(true), rawWord(null)]).toEqual(["0x0005", "0x12345", "", "", "", ""]);
});
