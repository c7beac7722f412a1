// The page for a person, in headless Chromium: what it shows, and what its buttons do.
//
// usage: node page.mjs ENDPOINT KEY [FOLDER FOR SCREENSHOTS]

import { createRequire } from "node:module";
import { existsSync } from "node:fs";
import { contrastFaults, layoutFaults, showsTheAnswerAtOnce } from "./layout.mjs";
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

// The page resets to the policy of a new service, which others may have changed before.
await fetch(`${endpoint}/personalizer/v1.0/configurations/policy`, { method: "DELETE", headers: { "Ocp-Apim-Subscription-Key": key } });

const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
const page = await browser.newPage({ viewport: { width: 1000, height: 1100 } });
const errors = [];
page.on("pageerror", (error) => errors.push(String(error)));
page.on("console", (message) => {
  // What the service refuses, the browser tells: before the key is there, and a wrong setting.
  if (message.type() === "error" && !/40[01]/.test(message.text())) errors.push(message.text());
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
check("the policy is shown", (await page.inputValue("#policy-arguments")).includes("--cb_explore_adf"));
check("exports are counted", /^\d+$/.test(await page.textContent("#exports")));
check("the table has a caption", (await page.locator("caption").count()) === 1);

// Settings: one that is refused, then one that is accepted.
const stored = async () => (await fetch(`${endpoint}/personalizer/v1.0/configurations/service`, { headers: { "Ocp-Apim-Subscription-Key": key } })).json();
const before = await stored();
await page.fill("[name=explorationPercentage]", "2");
await page.click("#settings button");
await page.waitForSelector("#told:not(.done):not(:empty)");
check("a setting out of its range is refused", (await stored()).explorationPercentage === before.explorationPercentage);
await page.fill("[name=explorationPercentage]", "0.3");
await page.fill("[name=rewardWaitTime]", "1h30m");
await page.click("#settings button");
await page.waitForFunction(() => document.getElementById("told").textContent === "the settings are changed");
const after = await stored();
check("settings are changed", after.explorationPercentage === 0.3 && after.rewardWaitTime === "PT1H30M");
check("the others stay", after.modelExportFrequency === before.modelExportFrequency && after.learningMode === before.learningMode);
await page.waitForFunction(() => document.querySelector("[name=rewardWaitTime]").value === "1h30m");
await page.fill("[name=rewardWaitTime]", "1s");
await page.click("#settings button");
await page.waitForFunction(() => document.querySelector("[name=rewardWaitTime]").value === "1s");

// The policy: another one, then the first again.
const first = await page.inputValue("#policy-arguments");
await page.fill("#policy-name", "mine");
await page.fill("#policy-arguments", "--cb_explore_adf --epsilon 0.1 --cb_type mtr -q ::");
await page.click("#policy-form button:not([type])");
await page.waitForFunction(() => document.getElementById("policy").textContent === "mine");
check("another policy is served", true);
await page.click("#policy-reset");
await page.waitForFunction(() => document.getElementById("policy").textContent !== "mine");
await page.waitForFunction((first) => document.getElementById("policy-arguments").value === first, first);
check("the first policy is served again", true);

// An evaluation of all events, then one of a range in which there are none.
await page.click("#start");
await page.waitForSelector("#evaluations article figure li", { timeout: 60_000 });
const rows = await page.locator("#evaluations li").count();
check("the evaluation compares policies", rows > 3);
check("it has a chart", (await page.locator("#evaluations li svg .value").count()) > 3);
check("it says which events it is of", /events from .* to /.test(await page.textContent("#evaluations article")));
const apply = page.locator("#evaluations li button").first();
const name = await page.locator("#evaluations li", { has: page.locator("button") }).first().locator(".name").textContent();
await apply.click();
await page.waitForFunction((name) => document.getElementById("policy").textContent === name, name);
check(`Apply serves ${name}`, true);
check(`nothing went wrong on the way (${errors.join("; ")})`, errors.length === 0);

const screens = [["desktop", 1280, 800, "light"], ["tablet", 768, 1024, "dark"], ["phone", 390, 844, "dark"], ["phone by day", 390, 844, "light"]];
for (const [name, width, height, colorScheme] of screens) {
  await page.setViewportSize({ width, height });
  await page.emulateMedia({ colorScheme });
  // The next refresh draws for this width.
  const drawn = width < 640 ? "0 0 400 240" : "0 0 960 280";
  await page.waitForFunction((drawn) => document.querySelector("#chart svg").getAttribute("viewBox") === drawn, drawn);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  check(`${name}: the page is as wide as the screen`, overflow <= 0);
  check(`${name}: the state is in the first screen`, await showsTheAnswerAtOnce(page));
  const faults = [...await layoutFaults(page), ...await contrastFaults(page)];
  check(`${name}: nothing is cut, covered or pale (${faults.join("; ")})`, faults.length === 0);
  const widest = await page.evaluate(() => Math.max(...[...document.querySelectorAll("button")].map((button) => button.getBoundingClientRect().width)));
  check(`${name}: buttons are as wide as their words`, widest < 300);
  if (folder) await page.screenshot({ path: `${folder}/page-${name}.png`, fullPage: true });
}
await page.locator("#evaluations article button", { hasText: "Delete" }).first().click();
await page.waitForFunction(() => document.querySelectorAll("#evaluations article").length === 0);
check("an evaluation is deleted", true);
await browser.close();
