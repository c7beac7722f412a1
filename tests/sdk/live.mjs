// The page of `runner run --live`, in headless Chromium: it grows by itself, and becomes the
// report when the run ends.
//
// usage: node live.mjs [FOLDER FOR SCREENSHOTS]; writes `ready` when the browser runs, then reads the
// address of the page from stdin.

import { createRequire } from "node:module";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { contrastFaults, layoutFaults, repeatedFaults, showsTheAnswerAtOnce } from "./layout.mjs";
const require = createRequire(process.cwd() + "/");
const { chromium } = require("playwright-core");

const [folder] = process.argv.slice(2);
const browsers = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const executablePath = browsers.find((path) => path && existsSync(path));
if (!executablePath) {
  console.log("the page is not opened: there is no Chromium (set CHROMIUM to one)");
  process.exit(process.env.RUNNER_REQUIRE_TOOLS === "1" ? 1 : 3);
}

function check(what, holds) {
  if (!holds) throw new Error(`live: ${what}: failed`);
  console.log(`live: ${what}: ok`);
}

const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
console.log("ready");
const { value: address } = await createInterface({ input: process.stdin })[Symbol.asyncIterator]().next();
const page = await browser.newPage({ viewport: { width: 768, height: 1024 } });
const errors = [];
page.on("pageerror", (error) => errors.push(error.message));
page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
await page.goto(address);
const done = () => page.evaluate(() => Number(document.querySelector("progress")?.value));
check("the run goes on", (await page.textContent("header")).includes("goes on"));
for (const time of ["first", "second"]) {
  const before = await done();
  await page.waitForFunction((before) => document.querySelector("progress").value > before, before, { timeout: 60_000 });
  check(`it grows by itself, the ${time} time`, (await done()) > before);
}
check("a verdict is one so far", (await page.textContent("main")).includes("holds so far"));
for (const [screen, width, height, colorScheme] of [["desktop", 1280, 800, "light"], ["phone", 390, 844, "light"], ["tablet", 768, 1024, "dark"]]) {
  await page.setViewportSize({ width, height });
  await page.emulateMedia({ colorScheme });
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  check(`${screen}: the page is as wide as the screen`, overflow <= 0);
  const faults = [...await layoutFaults(page), ...await contrastFaults(page), ...await repeatedFaults(page)];
  check(`${screen}: nothing is cut, covered, pale or repeated (${faults.join("; ")})`, faults.length === 0);
  check(`${screen}: the result so far is in the first screen`, await showsTheAnswerAtOnce(page));
  if (folder) await page.screenshot({ path: `${folder}/live-${screen}.png`, fullPage: true });
}
await page.waitForFunction(() => [...document.querySelectorAll("h2")].some((h) => h.textContent === "Configuration"), null, { timeout: 120_000 });
check("the report takes its place", !(await page.textContent("header")).includes("goes on"));
if (folder) await page.screenshot({ path: `${folder}/live-report.png`, fullPage: true });
check(`nothing fails (${errors.join("; ")})`, errors.length === 0);
await browser.close();
process.exit(0);
