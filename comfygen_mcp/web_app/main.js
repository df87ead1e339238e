// Begins as what the document says that it is.
import { AppPage } from "./app_page.js";
import { SitePage } from "./site_page.js";

const page = document.documentElement.dataset.place === "app" ? new AppPage() : new SitePage();
await page.start();
