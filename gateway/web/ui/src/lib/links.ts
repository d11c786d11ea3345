// What is wrong with a link, in the language of the page; the words of the system stand behind it.

import { lang, word } from "./i18n";
import type { Link } from "./types";

export function linkTrouble(error: Link["error"]): string {
  if (!error) return "";
  const what = word("linkError", error.class, "");
  const said = what && error.text ? `${what} (${error.text})` : what || error.text || "";
  // The driver's own hint knows more than its class tells, but it speaks English only.
  const hint = lang.value === "en" && error.hint ? error.hint : word("linkAdvice", error.class, "");
  return [said, hint].filter(Boolean).join(" – ");
}
