// What the server says of each check, in the language of the page. Pure but for the words.

import { clock, number } from "./format";
import { t, word } from "./i18n";

export interface Check {
  name: string;
  ok: boolean | null;
  detail: string | null;
  since: string | null;
}

type Speak = (parts: string[], zone: string) => string;

const PATTERNS: readonly [RegExp, Speak][] = [
  [/^(alive|silent|empty|none)$/, ([what = ""]) => word("detail", what)],
  [/^(\d+) events? waits?$/, ([n]) => t("detail.waiting", { n: number(Number(n)) })],
  [/^confirmed up to (\d+)$/, ([n]) => t("detail.confirmed", { n: number(Number(n)) })],
  [/^([\d.]+ [KMGT]iB) of ([\d.]+ [KMGT]iB) free$/, ([free = "", all = ""]) => t("detail.free", { free, all })],
  [/^(\S+Z) \.\. (\S+Z)$/, ([from = "", to = ""], zone) => `${clock(Date.parse(from), zone)} – ${clock(Date.parse(to), zone)}`],
  [/^((?:[a-z]+ \d+(?:, )?)+)$/, ([all = ""]) => all.split(", ").map((one) => one.replace(/^[a-z]+/, (state) => word("link", state))).join(" · ")],
];

// Something no pattern knows is shown as it came.
export function spoken(check: Check, zone: string): string {
  const detail = check.detail ?? "";
  for (const [pattern, speak] of PATTERNS) {
    const found = pattern.exec(detail);
    if (found) return speak(found.slice(1), zone);
  }
  return detail;
}
