// Something a person asked for: its problem stands on the page until the next try.

import { ref } from "vue";
import { Problem } from "./api";
import { t } from "./i18n";

export function useAct() {
  const problem = ref("");
  const busy = ref(false);

  async function act<T>(work: () => Promise<T>): Promise<T | undefined> {
    problem.value = "";
    busy.value = true;
    try {
      return await work();
    } catch (error) {
      problem.value = !(error instanceof Problem) ? String(error) : error.status === 0 ? t("notSent") : [error.title, error.detail].filter(Boolean).join(": ");
      return undefined;
    } finally {
      busy.value = false;
    }
  }

  return { problem, busy, act };
}
