// The page for a person, in headless Chromium: what it shows, and what its buttons do.
//
// usage: node page.mjs ENDPOINT KEY [FOLDER FOR SCREENSHOTS]

import { createRequire } from "node:module";
import { existsSync } from "node:fs";
const require = createRequire(process.cwd() + "/");
const { chromium } = require("playwright-core");

const [endpoint, key, folder] = process.argv.slice(2);
const browsers = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const executablePath = browsers.find((path) => path && existsSync(path));
if (!executablePath) {
  console.log("the page is not tested: there is no Chromium (set CHROMIUM to one)");
  process.exit(process.env.RUNNER_REQUIRE_TOOLS === "1" ? 1 : 0);
}

function check(what, holds) {
  if (!holds) throw new Error(`page: ${what}: failed`);
  console.log(`page: ${what}: ok`);
}

async function post(path, body) {
  const headers = { "Content-Type": "application/json", "Ocp-Apim-Subscription-Key": key };
  const answer = await fetch(`${endpoint}/personalizer/v1.0${path}`, { method: "POST", headers, body: JSON.stringify(body) });
  return answer.status === 204 ? undefined : answer.json();
}

// Visitors who like salad; one action has a name that would be markup.
const salad = '<img src=x onerror="document.title = 1">';
const actions = ["pasta", "juice", salad].map((id) => ({ id, features: [{ kind: id }] }));
for (let number = 0; number < 300; number += 1) {
  const eventId = `visit-${number}`;
  const { rewardActionId } = await post("/rank", { actions, contextFeatures: [{ time: "noon" }], eventId });
  await post(`/events/${encodeURIComponent(eventId)}/reward`, { value: rewardActionId === salad ? 1 : 0 });
}

const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
const page = await browser.newPage({ viewport: { width: 1000, height: 1100 } });
const errors = [];
page.on("pageerror", (error) => errors.push(String(error)));
page.on("console", (message) => {
  // Before the key is there, the service refuses, and the browser says so.
  if (message.type() === "error" && !message.text().includes("401")) errors.push(message.text());
});
await page.goto(endpoint);
await page.fill("#key", "wrong");
await page.click("#ask button");
check("a wrong key opens nothing", await page.locator("#main").isHidden());
await page.fill("#key", key);
await page.click("#ask button");
await page.waitForSelector("#main:not([hidden])");
check("a key opens it", await page.locator("#ask").isHidden());

await page.waitForFunction(() => document.querySelectorAll("#recent tr").length === 20);
check("names are no markup", (await page.title()) === "Learning loop" && (await page.locator("#recent img").count()) === 0);
check("the chart has two lines", (await page.locator("#chart path").count()) === 2);
check("the policy is shown", (await page.textContent("#arguments")).includes("--cb_explore_adf"));

await page.click("#start");
await page.waitForSelector("#evaluations .card table", { timeout: 60_000 });
const rows = await page.locator("#evaluations tbody tr").count();
check("the evaluation compares policies", rows > 3);
const apply = page.locator("#evaluations tbody button").first();
const name = await page.locator("#evaluations tbody tr", { has: page.locator("button") }).first().locator("td").first().textContent();
await apply.click();
await page.waitForFunction((name) => document.getElementById("policy").textContent === name, name);
check(`Apply serves ${name}`, true);
check("nothing went wrong on the way", errors.length === 0 || console.error(errors));

if (folder) {
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: `${folder}/page-${colorScheme}.png` });
  }
}
await page.locator("#evaluations .card button", { hasText: "Delete" }).first().click();
await page.waitForFunction(() => document.querySelectorAll("#evaluations .card").length === 0);
check("an evaluation is deleted", true);
await browser.close();
