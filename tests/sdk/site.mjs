// The site of the guides, in headless Chromium: every page can be read on screens of three widths and
// on paper, its pictures are there, and only what is in its folder is asked for.
//
// usage: [SCREENSHOTS=FOLDER] node site.mjs FOLDER

import { createRequire } from "node:module";
import { existsSync, readdirSync } from "node:fs";
import { basename } from "node:path";
import { contrastFaults, layoutFaults, repeatedFaults } from "./layout.mjs";
const require = createRequire(process.cwd() + "/");
const { chromium } = require("playwright-core");

const site = process.argv[2];
const folder = process.env.SCREENSHOTS;
const browsers = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const executablePath = browsers.find((path) => path && existsSync(path));
if (!executablePath) {
  console.log("the site is not opened: there is no Chromium (set CHROMIUM to one)");
  process.exit(process.env.RUNNER_REQUIRE_TOOLS === "1" ? 1 : 0);
}

const screens = [
  ["desktop", 1280, 800, "light", "screen"],
  ["tablet", 768, 1024, "dark", "screen"],
  ["phone", 390, 844, "light", "screen"],
  // A4 has 718 pixels between margins of a centimetre.
  ["paper", 718, 1040, "light", "print"],
];
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
const page = await browser.newPage();
const wrong = [];
page.on("pageerror", (error) => wrong.push(error.message));
page.on("console", (message) => message.type() === "error" && wrong.push(message.text()));
page.on("request", (request) => request.url().startsWith(`file://${site}/`) || wrong.push(`asks for ${request.url()}`));
const names = readdirSync(site).filter((name) => name.endsWith(".html"));
for (const name of names) {
  for (const [screen, width, height, colorScheme, media] of screens) {
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme, media });
    await page.goto(`file://${site}/${name}`);
    wrong.push(...await layoutFaults(page), ...await contrastFaults(page), ...await repeatedFaults(page));
    wrong.push(...await page.evaluate(() => [
      ...[...document.images].filter((image) => image.naturalWidth === 0).map((image) => `no picture: ${image.alt}`),
      ...document.documentElement.scrollWidth > innerWidth ? ["the page is wider than the screen"] : [],
    ]));
    if (folder) await page.screenshot({ path: `${folder}/${basename(name, ".html")}-${screen}.png`, fullPage: true });
    if (wrong.length > 0) throw new Error(`${name}, ${screen}: ${wrong.join("; ")}`);
  }
}
await browser.close();
console.log(`${names.length} pages can be read`);
