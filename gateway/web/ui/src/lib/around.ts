// What tags were at a moment, in words. Pure.

import { number, unit } from "./format";
import { t } from "./i18n";
import type { Text } from "./types";

export interface ValueThen {
  tag: string;
  name: Text;
  unit: string;
  value: boolean | number | string | null;
  bad: string | null;
  decides: boolean;
}

export const spokenValue = ({ value, bad, unit: code }: ValueThen): string => {
  if (bad !== null || value === null) return t("noValue");
  return typeof value === "number" ? `${number(value)} ${unit(code)}`.trim() : String(value);
};

// As a word of a controller is written in its manual, with its bits to be counted.
const WORD = 0xffffffff;
export function rawWord(value: ValueThen["value"]): string {
  if (typeof value !== "number" || !Number.isInteger(value) || value < 0 || value > WORD) return "";
  return `0x${value.toString(16).toUpperCase().padStart(4, "0")}`;
}
