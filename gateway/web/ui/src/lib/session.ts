// Who looks, what he may do, and how he likes it.

import { computed, ref } from "vue";
import { csrf, get, loginEnded, patch, post, Problem } from "./api";
import { speak } from "./i18n";
import { connect, disconnect, site } from "./live";
import type { Lang, Role, Site, Text, Theme } from "./types";

export interface Session {
  user: string;
  role: Role;
  language: Lang | null;
  theme: Theme | null;
  csrf: string | null;
  must_change_password: boolean;
  site: Site;
  contact: string | null; // whom to ask for a role
  quick_comments: Text[]; // of this site; empty: the usual ones
  stop_reasons: OfferedReason[];
  ack_comment_for: string[]; // categories of faults
}

export interface OfferedReason {
  code: string;
  category: string;
  text: Text;
  planned: boolean;
}

export type Door = "login" | "setup" | "password" | null;

export const ROLES: readonly Role[] = ["viewer", "maintenance", "engineer", "admin"];

export const session = ref<Session | null>(null);
export const role = computed<Role>(() => session.value?.role ?? "viewer");
export const may = (least: Role): boolean => ROLES.indexOf(role.value) >= ROLES.indexOf(least);

export function enter(given: Session): void {
  session.value = given;
  csrf.value = given.csrf ?? "";
  loginEnded.value = false;
  Object.assign(site, given.site);
  if (given.language) speak(given.language);
  if (given.theme) dress(given.theme);
  if (!given.must_change_password) connect();
}

let asked: Promise<Door> | null = null;

// Where a person has to go first; null if he is in. The server is asked once.
export function door(): Promise<Door> {
  if (session.value) return Promise.resolve(session.value.must_change_password ? "password" : null);
  asked ??= ask().finally(() => (asked = null));
  return asked;
}

async function ask(): Promise<Door> {
  try {
    enter(await get<Session>("/session"));
    return session.value?.must_change_password ? "password" : null;
  } catch (error) {
    if (!(error instanceof Problem) || error.status !== 401) throw error;
  }
  return (await get<{ needed: boolean }>("/setup")).needed ? "setup" : "login";
}

// Whether the login still counts; a 401 opens the log-in over the page.
export const stillIn = (): Promise<void> => get<Session>("/session").then(() => undefined, () => undefined);

export async function leave(): Promise<void> {
  await post("/logout").catch(() => undefined); // an ended session is left all the same
  session.value = null;
  csrf.value = "";
  disconnect();
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
