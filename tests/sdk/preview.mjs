// The official npm SDK of v1.1-preview.3 (@azure-rest/ai-personalizer) against a served
// loop: every route once. Its `isUnexpected` takes every answer of a route with a
// parameter for an error, so that statuses are compared.
//
// usage: node preview.mjs ENDPOINT KEY

import { createRequire } from "node:module";
import { createServer } from "node:http";
const require = createRequire(process.cwd() + "/");
const createPersonalizer = require("@azure-rest/ai-personalizer").default;

const [endpoint, key] = process.argv.slice(2);
const options = { allowInsecureConnection: true };
const client = createPersonalizer(endpoint, { key }, options);

function check(what, holds) {
  if (!holds) throw new Error(`C ${what}: failed`);
  console.log(`C ${what}: ok`);
}

async function answers(status, what, call) {
  const answer = await call;
  check(`${what} answers ${status}`, Number(answer.status) === status || console.error(answer.status, answer.body));
  return answer.body;
}

const service = client.path("/configurations/service");
const policy = client.path("/configurations/policy");
const event = (id, what) => client.path(`/events/{eventId}/${what}`, id);
const slots = (id, what) => client.path(`/multislot/events/{eventId}/${what}`, id);
const evaluation = (id) => client.path("/evaluations/{evaluationId}", id);

// Whether the service was started with `--multi-slot`, whose policy excludes optimization.
const isMultiSlot = (await policy.get()).body.arguments.includes("--ccb_explore_adf");
console.log(`C a service for ${isMultiSlot ? "several slots" : "one slot"}`);

// Settings, with everything that may be set.
const fresh = await answers(200, "GET /configurations/service", service.get());
const settings = {
  ...fresh,
  rewardWaitTime: "PT1S",
  modelExportFrequency: "PT1S",
  defaultReward: 0.25,
  rewardAggregation: "sum",
  explorationPercentage: 0.3,
  logRetentionDays: 7,
  logMirrorEnabled: false,
  logMirrorSasUri: "https://mirror.invalid/container",
  isAutoOptimizationEnabled: !isMultiSlot,
  autoOptimizationFrequency: "P7D",
  autoOptimizationStartDate: new Date("2099-01-01T00:00:00Z"),
};
const stored = await answers(200, "PUT /configurations/service", service.put({ body: settings }));
for (const name of Object.keys(settings).filter((name) => name !== "lastConfigurationEditDate")) {
  const sent = settings[name] instanceof Date ? settings[name].getTime() : settings[name];
  const found = settings[name] instanceof Date ? Date.parse(stored[name]) : stored[name];
  check(`${name} is stored`, found === sent);
}
const both = { ...stored, learningMode: "Apprentice", defaultReward: 0 };
await answers(400, "two changes that do not go together", service.put({ body: both }));
if (isMultiSlot) {
  const refused = await answers(403, "optimization with slots", service.put({ body: { ...stored, isAutoOptimizationEnabled: true } }));
  check("it says why", refused.error.code === "ProblemTypeIncompatibleWithAutoOptimization");
}

// The learning policy.
const first = await answers(200, "GET /configurations/policy", policy.get());
const explore = isMultiSlot ? "--ccb_explore_adf" : "--cb_explore_adf";
const mine = { name: "mine", arguments: `${explore} --epsilon 0.3 --cb_type ips -l 0.1` };
check("the policy is stored", (await answers(200, "PUT /configurations/policy", policy.put({ body: mine }))).name === "mine");
check("the policy is reset", (await answers(200, "DELETE /configurations/policy", policy.delete())).name === first.name);

// Events.
const action = (id) => ({ id, features: [{ kind: id, nested: { size: 3 } }] });
const actions = ["pasta", "ice cream", "juice", "salad"].map(action);
const contextFeatures = [{ time: "morning" }];
const rank = (eventId, more) => client.path("/rank").post({ body: { actions, contextFeatures, eventId, ...more } });
for (let number = 0; number < 20; number += 1) {
  const ranked = await rank(`event-${number}`);
  const value = ranked.body.rewardActionId === "salad" ? 1 : 0;
  if (Number((await event(`event-${number}`, "reward").post({ body: { value } })).status) !== 204) throw new Error("C reward");
}
const odd = "a/b ?#é";
check("an odd id", (await answers(201, "POST /rank", rank(odd, { deferActivation: true }))).eventId === odd);
await answers(204, "POST /events/{eventId}/activate", event(odd, "activate").post());
await answers(204, "POST /events/{eventId}/reward", event(odd, "reward").post({ body: { value: 1 } }));

// Slots.
const slot = (id, baselineAction, features) => ({ id, baselineAction, features, excludedActions: [] });
const body = { actions, contextFeatures, eventId: "slots", slots: [slot("top", "pasta", [{ size: "large" }]), slot("side", "juice", [])] };
if (!isMultiSlot) {
  const single = await answers(400, "POST /multislot/rank of a loop without slots", client.path("/multislot/rank").post({ body }));
  const names = ["--multi-slot", "--ccb_explore_adf"];
  check("it says what to set", single.error.code === "InvalidMultiSlotApiAccess" && names.every((name) => single.error.message.includes(name)));
}
await answers(200, "no more optimization", service.put({ body: { ...stored, isAutoOptimizationEnabled: false } }));
const fills = { name: "slots", arguments: "--ccb_explore_adf --epsilon 0.3 -q ::" };
await answers(200, "a policy that fills slots", policy.put({ body: fills }));
const filled = await answers(201, "POST /multislot/rank", client.path("/multislot/rank").post({ body }));
check("every slot has an action", filled.slots.length === 2 && filled.slots[0].rewardActionId !== filled.slots[1].rewardActionId);
const rewards = { reward: [{ slotId: "top", value: 1 }] };
await answers(204, "POST /multislot/events/{eventId}/reward", slots("slots", "reward").post({ body: rewards }));
await answers(204, "POST /multislot/events/{eventId}/activate", slots("slots", "activate").post());

// Log and model, once the windows have closed.
const properties = client.path("/model/properties");
const deadline = Date.now() + 30_000;
while ((await properties.get()).body.lastModifiedTime.startsWith("0001")) {
  if (Date.now() > deadline) throw new Error("C the model is trained: failed");
  await new Promise((wake) => setTimeout(wake, 100));
}
await answers(200, "GET /model/properties", properties.get());
const range = await answers(200, "GET /logs/properties", client.path("/logs/properties").get());
check("the log covers something", Date.parse(range.dateRange.from) <= Date.parse(range.dateRange.to));

// Evaluations.
const contract = {
  name: "sdk",
  startTime: new Date(Date.now() - 3_600_000),
  endTime: new Date(Date.now() + 3_600_000),
  policies: [mine],
  enableOfflineExperimentation: true,
};
const created = await answers(201, "POST /evaluations", client.path("/evaluations").post({ body: contract }));
let done = created;
while (done.status === "pending") {
  done = (await evaluation(created.id).get()).body;
  await new Promise((wake) => setTimeout(wake, 100));
}
check("the evaluation completes", done.status === "completed" && done.policyResults.some((one) => one.name === "mine"));
const all = await answers(200, "GET /evaluations", client.path("/evaluations").get());
check("it is on the list", all.some((one) => one.id === created.id));
await answers(200, "GET /evaluations/{evaluationId}", evaluation(created.id).get());
const apply = client.path("/configurations/applyFromEvaluation");
const reference = { evaluationId: created.id, policyName: "Mine" };
await answers(204, "POST /configurations/applyFromEvaluation", apply.post({ body: reference }));
check("its policy is served", (await policy.get()).body.name === "mine");
await answers(204, "DELETE /evaluations/{evaluationId}", evaluation(created.id).delete());
const gone = await answers(404, "GET of what was deleted", evaluation(created.id).get());
check("it says why", gone.error.code === "EvaluationNotFound");

// The model, there and back.
async function model(signed) {
  const answer = await client.path("/model").get({ queryParameters: { signed } }).asNodeStream();
  const chunks = [];
  for await (const chunk of answer.body) chunks.push(chunk);
  check(`GET /model?signed=${signed} answers 200`, Number(answer.status) === 200);
  return Buffer.concat(chunks);
}
const plain = await model(false);
const signed = await model(true);
check("the signed model is a zip", signed.subarray(0, 2).toString() === "PK" && signed.includes(plain));
const put = (bytes) => client.path("/model").put({ body: bytes, contentType: "application/octet-stream" });
await answers(204, "PUT /model", put(new Uint8Array(signed)));
await answers(400, "PUT /model of something else", put(new Uint8Array([1, 2, 3])));
await answers(204, "DELETE /model", client.path("/model").delete());
await answers(204, "DELETE /logs", client.path("/logs").delete());

// Batches of a client that ranks by itself.
const batch = { body: new Uint8Array([1, 2, 3]), contentType: "application/octet-stream" };
await answers(403, "POST /logs/interactions", client.path("/logs/interactions").post(batch));
await answers(403, "POST /logs/observations", client.path("/logs/observations").post(batch));

const stranger = createPersonalizer(endpoint, { key: "wrong" }, options);
await answers(401, "a wrong key", stranger.path("/configurations/service").get());

// The SDK waits as long as a throttling gateway asks for; the gateway stands before the loop.
let throttled = 0;
const gateway = createServer((request, response) => {
  throttled += 1;
  if (throttled <= 2) {
    response.writeHead(429, { "Retry-After": "1" }).end();
    return;
  }
  fetch(endpoint.replace(/\/$/, "") + request.url, { headers: { "Ocp-Apim-Subscription-Key": key } })
    .then(async (answer) => {
      response.writeHead(answer.status, { "Content-Type": "application/json" });
      response.end(await answer.text());
    });
});
await new Promise((ready) => gateway.listen(0, "127.0.0.1", ready));
const behind = createPersonalizer(`http://127.0.0.1:${gateway.address().port}`, { key }, options);
const began = Date.now();
await answers(200, "a throttled call in the end", behind.path("/configurations/service").get());
check("it waited as long as it was asked to", Date.now() - began >= 1900 && throttled === 3);
gateway.close();
gateway.closeAllConnections();
