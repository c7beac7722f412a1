// The page of `runner report`, in headless Chromium: it runs without errors, asks the network
// for nothing, cuts, covers and repeats nothing on screens of three widths and on paper, has texts
// that can be read on what is behind them, has the result in the first screen, and reads a value
// where it is pointed at or stepped to.
//
// usage: [SCREENSHOTS=FOLDER] node report.mjs PAGE…

import { createRequire } from "node:module";
import { existsSync } from "node:fs";
import { basename } from "node:path";
import { contrastFaults, layoutFaults, repeatedFaults, showsTheAnswerAtOnce } from "./layout.mjs";
const require = createRequire(process.cwd() + "/");
const { chromium } = require("playwright-core");

const folder = process.env.SCREENSHOTS;
const browsers = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const executablePath = browsers.find((path) => path && existsSync(path));
if (!executablePath) {
  console.log("the report is not opened: there is no Chromium (set CHROMIUM to one)");
  process.exit(process.env.RUNNER_REQUIRE_TOOLS === "1" ? 1 : 0);
}

let name;
function check(what, holds) {
  if (!holds) throw new Error(`${name}: ${what}: failed`);
  console.log(`${name}: ${what}: ok`);
}

const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
const screens = [
  ["desktop", 1280, 800, "light"],
  ["tablet", 768, 1024, "dark"],
  ["phone", 390, 844, "dark"],
  ["phone by day", 390, 844, "light"],
];
for (const file of process.argv.slice(2)) {
  name = basename(file, ".html");
  for (const [screen, width, height, colorScheme] of screens) {
    const page = await browser.newPage({ viewport: { width, height }, colorScheme });
    const errors = [];
    const asked = [];
    page.on("pageerror", (error) => errors.push(error.message));
    page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
    page.on("request", (request) => asked.push(request.url()));
    await page.goto(`file://${file}`);
    check(`${screen}: nothing fails`, errors.length === 0);
    check(`${screen}: nothing is asked for but the page`, asked.length === 1);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    check(`${screen}: the page is as wide as the screen`, overflow <= 0);
    check(`${screen}: the result is in the first screen`, await showsTheAnswerAtOnce(page));
    const faults = await layoutFaults(page);
    check(`${screen}: nothing is cut or covered (${faults.join("; ")})`, faults.length === 0);
    for (const [what, of] of [["no text is too pale", contrastFaults], ["nothing is shown twice or empty", repeatedFaults]]) {
      const found = await of(page);
      check(`${screen}: ${what} (${found.join("; ")})`, found.length === 0);
    }
    const figure = page.locator("figure[data-readout]").first();
    const caption = figure.locator("figcaption");
    const chart = figure.locator("svg:visible");
    await chart.scrollIntoViewIfNeeded();
    const box = await chart.boundingBox();
    await page.mouse.move(box.x + Math.min(box.width, width) * 0.5, box.y + box.height * 0.5);
    check(`${screen}: pointing reads a value`, /(iteration|second) [\d,]+: .*\d/.test(await caption.textContent()));
    await figure.focus();
    await page.keyboard.press("Home");
    const first = await caption.textContent();
    await page.keyboard.press("ArrowRight");
    check(`${screen}: a step reads the next`, (await caption.textContent()) !== first);
    const back = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    check(`${screen}: the surface is ${colorScheme}`, (back === "rgb(255, 255, 255)") === (colorScheme === "light"));
    if (folder) await page.screenshot({ path: `${folder}/${name}-${screen}.png`, fullPage: true });
    await page.close();
  }
  // A4 has 718 pixels between margins of a centimetre.
  const paper = await browser.newPage({ viewport: { width: 718, height: 1040 } });
  await paper.goto(`file://${file}`);
  await paper.emulateMedia({ media: "print" });
  const faults = await layoutFaults(paper);
  check(`paper: nothing is cut or covered (${faults.join("; ")})`, faults.length === 0);
  if (folder) await paper.pdf({ path: `${folder}/${name}.pdf`, format: "A4", margin: { top: "1cm", right: "1cm", bottom: "1cm", left: "1cm" } });
  await paper.close();
}
await browser.close();
