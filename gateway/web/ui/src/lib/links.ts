// What is wrong with a link, in the language of the page; the words of the system stand behind it.

import { lang, said as speak, word } from "./i18n";
import type { Link } from "./types";

export function linkTrouble(error: Link["error"]): string {
  if (!error) return "";
  const what = word("linkError", error.class, "");
  const said = what && error.text ? `${what} (${error.text})` : what || error.text || "";
  // The driver's own hint knows more than its class tells; one without a translation speaks English only.
  const own = error.advice ? speak(error.advice) : lang.value === "en" ? error.hint : "";
  return [said, own || word("linkAdvice", error.class, "")].filter(Boolean).join(" – ");
}
