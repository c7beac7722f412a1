// The page of `runner report`, in headless Chromium: it runs without errors, asks the network
// for nothing, fits a phone, and reads a value where it is pointed at or stepped to.
//
// usage: node report.mjs PAGE [FOLDER FOR SCREENSHOTS]

import { createRequire } from "node:module";
import { existsSync } from "node:fs";
const require = createRequire(process.cwd() + "/");
const { chromium } = require("playwright-core");

const [file, folder] = process.argv.slice(2);
const browsers = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const executablePath = browsers.find((path) => path && existsSync(path));
if (!executablePath) {
  console.log("the report is not opened: there is no Chromium (set CHROMIUM to one)");
  process.exit(process.env.RUNNER_REQUIRE_TOOLS === "1" ? 1 : 0);
}

function check(what, holds) {
  if (!holds) throw new Error(`report: ${what}: failed`);
  console.log(`report: ${what}: ok`);
}

const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
for (const [name, width, colorScheme] of [["desktop", 1100, "light"], ["phone", 390, "dark"]]) {
  const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
  const errors = [];
  const asked = [];
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  page.on("request", (request) => asked.push(request.url()));
  await page.goto(`file://${file}`);
  check(`${name}: nothing fails`, errors.length === 0);
  check(`${name}: nothing is asked for but the page`, asked.length === 1);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  check(`${name}: the page is as wide as the screen`, overflow <= 0);
  const figure = page.locator("figure[data-readout]").first();
  const caption = figure.locator("figcaption");
  const chart = figure.locator("svg:visible");
  await chart.scrollIntoViewIfNeeded();
  const box = await chart.boundingBox();
  await page.mouse.move(box.x + Math.min(box.width, width) * 0.5, box.y + box.height * 0.5);
  check(`${name}: pointing reads a value`, /^iteration [\d,]+: .*%/.test(await caption.textContent()));
  await figure.focus();
  await page.keyboard.press("Home");
  const first = await caption.textContent();
  await page.keyboard.press("ArrowRight");
  check(`${name}: a step reads the next`, (await caption.textContent()) !== first);
  const back = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  check(`${name}: the surface is ${colorScheme}`, (back === "rgb(255, 255, 255)") === (colorScheme === "light"));
  if (folder) await page.screenshot({ path: `${folder}/report-${name}.png`, fullPage: true });
  await page.close();
}
await browser.close();
