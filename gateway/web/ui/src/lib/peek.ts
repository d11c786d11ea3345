// When the peek opens: the pointer or the focus has rested on a tile.

import { onBeforeUnmount, ref } from "vue";

const REST_MS = 400;

export function usePeek() {
  const shown = ref<{ equipment: string; beside: DOMRect } | null>(null);
  let timer = 0;

  function rest(event: Event): void {
    clearTimeout(timer);
    const tile = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-equipment]") : null;
    if (tile === null || !matchMedia("(hover: hover)").matches) {
      shown.value = null;
      return;
    }
    const equipment = tile.dataset["equipment"] ?? "";
    if (shown.value?.equipment === equipment) return;
    shown.value = null;
    timer = window.setTimeout(() => (shown.value = { equipment, beside: tile.getBoundingClientRect() }), REST_MS);
  }

  function hide(): void {
    clearTimeout(timer);
    shown.value = null;
  }

  onBeforeUnmount(hide);
  return { shown, rest, hide };
}
