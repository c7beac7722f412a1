// The official npm SDK of v1.0 (@azure/cognitiveservices-personalizer) against a served
// loop.
//
// usage: node v1.mjs ENDPOINT KEY

import { createRequire } from "node:module";
const require = createRequire(process.cwd() + "/");
const { PersonalizerClient } = require("@azure/cognitiveservices-personalizer");
const { ApiKeyCredentials } = require("@azure/ms-rest-js");

const [endpoint, key] = process.argv.slice(2);
const inHeader = (key) => new ApiKeyCredentials({ inHeader: { "Ocp-Apim-Subscription-Key": key } });
const client = new PersonalizerClient(inHeader(key), endpoint);

function check(number, what, holds) {
  if (!holds) throw new Error(`B${number} ${what}: failed`);
  console.log(`B${number} ${what}: ok`);
}

async function refusal(call) {
  try {
    await call();
  } catch (error) {
    return error;
  }
  return undefined;
}

const action = (id) => ({ id, features: [{ kind: id, nested: { size: 3 } }] });
const actions = ["pasta", "ice cream", "juice", "salad"].map(action);
const contextFeatures = [{ time: "morning" }, { user: { name: "Alice" } }];

const made = await client.rank({ actions, contextFeatures, eventId: null });
check(1, "the service makes an id", made.eventId.length > 32 && made._response.status === 201);

const mine = await client.rank({ actions, contextFeatures, excludedActions: ["juice"], eventId: "mine" });
check(2, "own id and exclusions", mine.eventId === "mine" && mine.ranking[2].probability === 0);

check(3, "no context", (await client.rank({ actions })).rewardActionId);

const reward = await client.events.reward("unknown", { value: 1 });
check(5, "reward of an unknown event", reward._response.status === 204);

await client.rank({ actions, eventId: "deferred", deferActivation: true });
const activated = await client.events.activate("deferred");
check(7, "activate", activated._response.status === 204);
check(7, "reward", (await client.events.reward("deferred", { value: 1 }))._response.status === 204);

const odd = "a/b ?#é";
check(8, "an odd id is ranked", (await client.rank({ actions, eventId: odd })).eventId === odd);
check(8, "an odd id is rewarded", (await client.events.reward(odd, { value: 1 }))._response.status === 204);

const many = Array.from({ length: 51 }, (_, number) => action(String(number)));
const error = await refusal(() => client.rank({ actions: many }));
check(9, "51 actions are refused", error.statusCode === 400 && error.body.error.code === "InvalidRankRequest");

const stranger = new PersonalizerClient(inHeader("wrong"), endpoint);
check(10, "a wrong key is refused", (await refusal(() => stranger.rank({ actions }))).statusCode === 401);
