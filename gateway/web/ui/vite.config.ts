import vue from "@vitejs/plugin-vue";
import { defineConfig, type Plugin } from "vite";
import texts from "./src/texts.json" with { type: "json" };

// The one page without JavaScript has its words from the catalogue too.
const noscript: Plugin = {
  name: "noscript",
  transformIndexHtml: (html) =>
    html.replace("%NOSCRIPT_ZH%", texts.noscript.zh).replace("%NOSCRIPT_EN%", texts.noscript.en),
};

export default defineConfig({
  base: "/static/app/",
  plugins: [vue(), noscript],
  build: {
    outDir: "../static/app",
    emptyOutDir: true,
    assetsInlineLimit: 0, // a data: URL is against the pages' policy
    modulePreload: { polyfill: false },
    target: "chrome109", // panel PCs with Windows 7 end there
    chunkSizeWarningLimit: 700,
  },
  test: { include: ["tests/**/*.test.ts"] },
} as Parameters<typeof defineConfig>[0]);
