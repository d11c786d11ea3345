// Both languages from one catalogue. A key that is missing shows itself.

import { ref } from "vue";
import texts from "../texts.json";
import { localized } from "./format";
import type { Lang, Text } from "./types";

export const LANGUAGES: readonly Lang[] = ["zh", "en"];
export type Key = keyof typeof texts;
const CATALOGUE: Record<string, Record<Lang, string>> = texts;

export const lang = ref<Lang>("zh");

// The choice stays in this browser; `lang` of the page picks the right shapes of Chinese characters.
export function speak(language: Lang, remember = true): void {
  lang.value = language;
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  if (remember) document.cookie = `lang=${language}; path=/; max-age=31536000; samesite=lax`;
}

// The server has chosen by what this browser was told before and by what it prefers.
export const listen = (): void => speak(document.documentElement.lang.startsWith("en") ? "en" : "zh", false);

type Values = Record<string, string | number>;

export const t = (key: Key, values: Values = {}): string => inLanguage(lang.value, key, values);

// `{name}` stands for a value. English has a form for one: "one fault | {n} faults".
export function inLanguage(language: Lang, key: Key, values: Values = {}): string {
  const found = CATALOGUE[key]?.[language] ?? key;
  const forms = found.split(" | ");
  const form = forms.length === 2 && values["n"] !== 1 ? forms[1] : forms[0];
  return (form ?? found).replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

// For keys made of what the server sent, as "state.running"; `otherwise` for words newer than this page.
export function word(prefix: string, name: string | null | undefined, otherwise = name ?? ""): string {
  return CATALOGUE[`${prefix}.${name}`]?.[lang.value] ?? otherwise;
}

export const said = (text: Text | null | undefined, otherwise = ""): string => localized(text, lang.value, otherwise);

export const speakNext = (): Lang => (lang.value === "zh" ? "en" : "zh");
