import { createRouter, createWebHistory, type RouteRecordRaw } from "vue-router";
import BoardPage from "./pages/BoardPage.vue";

const routes: RouteRecordRaw[] = [
  { path: "/", name: "board", component: BoardPage },
  { path: "/eq/:id", name: "equipment", component: () => import("./pages/EquipmentPage.vue") },
  { path: "/:rest(.*)*", name: "nowhere", component: () => import("./pages/NowherePage.vue") },
];

export const router = createRouter({ history: createWebHistory("/"), routes });
