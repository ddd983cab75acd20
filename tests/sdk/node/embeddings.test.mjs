// The official OpenAI SDK for Node embeds with every format as it does with OpenAI.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import OpenAI from "openai";

import { fixture, fixtures, startWaypost, succeeds } from "./support.mjs";

let waypost;
let client;

before(async () => {
  waypost = await startWaypost();
  client = new OpenAI({ baseURL: `http://127.0.0.1:${waypost.port}/v1`, apiKey: "unused" });
});
after(() => waypost?.stop());

for (const provider of ["openai", "mistral", "google", "cohere"]) {
  test(`numbers come out of the base64 that the SDK asks for: ${provider}`, async () => {
    const { encoding_format, ...request } = fixture(`${provider}/embed-base64`).request;
    assert.equal(encoding_format, "base64");
    const answer = await client.embeddings.create(request);
    assert.deepEqual([...answer.data[0].embedding], [0.25, -0.5, 0.125]);
  });
}

for (const one of fixtures((one) => succeeds(one) && one.request.encoding_format === "float", "/v1/embeddings")) {
  test(`create ${one.name}`, async () => {
    const { waypost: told, ...answer } = await client.embeddings.create(one.request);
    assert.equal(told.provider, one.name.split("/")[0]);
    // Its price, which changes by the day, is what the metadata says.
    const { cost, ...usage } = answer.usage;
    assert.equal(cost, told.cost?.actual_usd);
    assert.deepEqual({ ...answer, usage }, one.expected);
  });
}

for (const one of fixtures((one) => one.status >= 400, "/v1/embeddings")) {
  test(`fail ${one.name}`, async () => {
    const failed = await client.embeddings.create({ ...one.request, encoding_format: "float" }).catch((error) => error);
    assert.equal(failed.status, one.status);
    assert.equal(failed.code, one.expected.error.code);
  });
}

test("a streamed completion passes event by event", async () => {
  const one = fixture("openai/completion-stream");
  const chunks = [];
  for await (const chunk of await client.completions.create(one.request)) chunks.push(chunk);
  const { waypost: told, ...last } = chunks.pop();
  assert.equal(told.provider, "openai");
  assert.deepEqual([...chunks, last], one.expected);
});
