// Loading what a page shows, again when what it depends on changes; the last answer asked for wins.

import { onBeforeUnmount, ref, shallowRef, watch, type Ref, type ShallowRef } from "vue";
import { Problem } from "./api";

const SKELETON_MS = 300; // quicker answers show no skeleton

export interface Loaded<T> {
  data: ShallowRef<T | null>;
  problem: ShallowRef<Problem | null>;
  slow: Ref<boolean>;
  reload: () => Promise<void>;
}

export function useLoad<T>(load: (signal: AbortSignal) => Promise<T>, depends?: () => unknown): Loaded<T> {
  const data = shallowRef<T | null>(null);
  const problem = shallowRef<Problem | null>(null);
  const slow = ref(false);
  let running: AbortController | null = null;

  async function reload(): Promise<void> {
    running?.abort();
    const mine = (running = new AbortController());
    const timer = setTimeout(() => (slow.value = true), SKELETON_MS);
    try {
      const answer = await load(mine.signal);
      if (running !== mine) return;
      [data.value, problem.value] = [answer, null];
    } catch (error) {
      if (running !== mine || mine.signal.aborted) return;
      problem.value = error instanceof Problem ? error : new Problem(-1, "page", "", String(error));
    } finally {
      clearTimeout(timer);
      if (running === mine) slow.value = false;
    }
  }

  if (depends) watch(depends, reload, { deep: true });
  void reload();
  onBeforeUnmount(() => running?.abort());
  return { data, problem, slow, reload };
}
