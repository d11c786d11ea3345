import { createApp } from "vue";
import App from "./App.vue";
import { listen } from "./lib/i18n";
import { undress } from "./lib/session";
import { router } from "./router";
import "./style/tokens.css";
import "./style/base.css";

listen();
undress();
createApp(App).use(router).mount("#app");
