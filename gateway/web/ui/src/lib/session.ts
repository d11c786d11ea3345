// Who looks, what he may do, and how he likes it.

import { computed, ref } from "vue";
import { csrf, get, loginEnded, patch, post, Problem } from "./api";
import { speak } from "./i18n";
import type { Lang, Role, Site, Theme } from "./types";
import { site } from "./live";

export interface Session {
  user: string;
  role: Role;
  language: Lang | null;
  theme: Theme | null;
  csrf: string;
  site: Site;
}

const ROLES: readonly Role[] = ["viewer", "maintenance", "engineer", "admin"];

export const session = ref<Session | null>(null);
export const role = computed<Role>(() => session.value?.role ?? "viewer");
export const may = (least: Role): boolean => ROLES.indexOf(role.value) >= ROLES.indexOf(least);

export function enter(given: Session): void {
  session.value = given;
  csrf.value = given.csrf;
  loginEnded.value = false;
  Object.assign(site, given.site);
  if (given.language) speak(given.language);
  if (given.theme) dress(given.theme);
}

// Returns where a person without a login goes first; null if he is in.
export async function arrive(): Promise<"login" | "setup" | null> {
  try {
    enter(await get<Session>("/session"));
    return null;
  } catch (error) {
    if (!(error instanceof Problem) || error.status !== 401) throw error;
  }
  return (await get<{ needed: boolean }>("/setup")).needed ? "setup" : "login";
}

export async function leave(): Promise<void> {
  await post("/logout");
  session.value = null;
  csrf.value = "";
}

export async function prefer(choice: { language?: Lang; theme?: Theme }): Promise<void> {
  if (choice.language) speak(choice.language);
  if (choice.theme) dress(choice.theme);
  if (session.value) await patch("/session", choice).catch(() => undefined); // it stands in this browser anyway
}

const THEME = "theme";

export const theme = ref<Theme>("calm");

// Each display keeps its own; a person's choice goes with the person.
export function dress(chosen: Theme, remember = true): void {
  theme.value = chosen;
  document.documentElement.dataset["theme"] = chosen;
  if (remember) localStorage.setItem(THEME, chosen);
}

export function undress(): void {
  const kept = localStorage.getItem(THEME);
  dress(kept === "tower" || kept === "dark" ? kept : "calm", false);
}
