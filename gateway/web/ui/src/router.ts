import { createRouter, createWebHistory, type RouteRecordRaw } from "vue-router";
import { door, may } from "./lib/session";
import type { Role } from "./lib/types";
import BoardPage from "./pages/BoardPage.vue";
import TroublePage from "./pages/TroublePage.vue";

declare module "vue-router" {
  interface RouteMeta {
    open?: boolean; // without a login
    role?: Role; // the least that may see it
  }
}

const routes: RouteRecordRaw[] = [
  { path: "/", name: "board", component: BoardPage },
  { path: "/eq/:id", name: "equipment", component: () => import("./pages/EquipmentPage.vue") },
  { path: "/faults/:tab(history|analysis)?", name: "faults", component: () => import("./pages/FaultsPage.vue") },
  { path: "/events", name: "events", component: () => import("./pages/EventsPage.vue") },
  { path: "/health", name: "health", component: () => import("./pages/HealthPage.vue") },
  { path: "/qr", name: "qr", component: () => import("./pages/QrPage.vue") },
  { path: "/admin/:tab(users|tokens|displays|revisions|audit|backup)?", name: "admin", component: () => import("./pages/AdminPage.vue"), meta: { role: "maintenance" } },
  { path: "/display/:pair(pair)?", name: "display", component: () => import("./pages/DisplayPage.vue"), meta: { open: true } },
  { path: "/login", name: "login", component: () => import("./pages/LoginPage.vue"), meta: { open: true } },
  { path: "/setup", name: "setup", component: () => import("./pages/SetupPage.vue"), meta: { open: true } },
  { path: "/password", name: "password", component: () => import("./pages/PasswordPage.vue") },
  { path: "/forbidden", name: "forbidden", component: () => import("./pages/ForbiddenPage.vue") },
  { path: "/trouble", name: "trouble", component: TroublePage, meta: { open: true } },
  { path: "/:rest(.*)*", name: "nowhere", component: () => import("./pages/NowherePage.vue") },
];

export const router = createRouter({ history: createWebHistory("/"), routes });

router.beforeEach(async (to) => {
  if (to.meta.open) return true;
  let first;
  try {
    first = await door();
  } catch {
    return { name: "trouble", query: { next: to.fullPath }, replace: true };
  }
  if (first && first !== to.name) return { name: first, query: first === "login" ? { next: to.fullPath } : {}, replace: true };
  const needed = to.meta.role;
  return needed && !may(needed) ? { name: "forbidden", query: { role: needed } } : true;
});
