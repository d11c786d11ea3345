// Keys of the page. None works while somebody types, and none with Ctrl, Alt or Meta.

import { onBeforeUnmount, onMounted } from "vue";

export const typing = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName));

// "g b" is g, then b within a second.
export function useKeys(actions: Record<string, (event: KeyboardEvent) => void>): void {
  let before = "";
  let beforeAt = 0;
  function press(event: KeyboardEvent): void {
    if (event.ctrlKey || event.altKey || event.metaKey || typing(event.target)) return;
    if (document.querySelector("dialog[open]") !== null) return;
    const pair = event.timeStamp - beforeAt < 1000 ? `${before} ${event.key}` : "";
    const action = actions[pair] ?? actions[event.key];
    [before, beforeAt] = [event.key, event.timeStamp];
    if (action) {
      event.preventDefault();
      action(event);
    }
  }
  onMounted(() => document.addEventListener("keydown", press));
  onBeforeUnmount(() => document.removeEventListener("keydown", press));
}
