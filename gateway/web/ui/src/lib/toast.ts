// A line that confirms what the person just did, and nothing else.

import { ref } from "vue";

export const line = ref("");
const SHOWN_MS = 4000;
let timer = 0;

export function toast(text: string): void {
  line.value = text;
  clearTimeout(timer);
  timer = window.setTimeout(() => (line.value = ""), SHOWN_MS);
}
