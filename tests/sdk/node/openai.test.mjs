// The official OpenAI SDK for Node: whole, streamed, parsed, in a tool loop, failing, cancelled.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { cpSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import OpenAI from "openai";
import { zodResponseFormat } from "openai/helpers/zod";
import { z } from "zod";

import { families, fixture, fixtures, spoken, startCounter, startWaypost, succeeds } from "./support.mjs";

let waypost;
let counter;
let client;

before(async () => {
  waypost = await startWaypost();
});
after(() => waypost?.stop());
beforeEach(async () => {
  counter?.close();
  counter = await startCounter(waypost.port);
  // A key of the test's own: what Waypost remembers of turns is kept apart by it.
  client = new OpenAI({ baseURL: counter.baseURL, apiKey: randomUUID() });
});
after(() => counter?.close());

// Whose streams are billed whole, whoever still listens: `cancel_stops_billing` of the catalogue.
const BILLS_ON = ["bedrock", "google", "groq", "mistral", "perplexity", "vertex"];

/** An answer, or a chunk of one, without what differs from run to run; its price must be what the metadata says. */
function told({ waypost, created: _, ...part }) {
  if (part.id?.startsWith("chatcmpl-")) delete part.id;
  if (waypost && part.usage) {
    const { cost, ...usage } = part.usage;
    assert.equal(cost, waypost.cost?.actual_usd);
    part.usage = usage;
  }
  return part;
}

/** A recorded expectation, without what differs from run to run: a provider's own price is told as ours. */
const wanted = (part) => told({ ...part, waypost: { cost: { actual_usd: part.usage?.cost } } });

for (const one of fixtures((one) => succeeds(one) && !one.request.stream)) {
  test(`create ${one.name}`, async () => {
    const answer = await client.chat.completions.create(one.request, { headers: one.headers });
    assert.deepEqual(told(answer), wanted(one.expected));
    assert.equal(counter.requests, 1);
  });
}

for (const one of fixtures((one) => succeeds(one) && one.request.stream)) {
  test(`stream ${one.name}`, async () => {
    const chunks = [];
    for await (const chunk of await client.chat.completions.create(one.request, { headers: one.headers })) {
      chunks.push(told(chunk));
    }
    assert.deepEqual(chunks, one.expected.map(wanted));
    assert.equal(counter.requests, 1);
  });
}

const Weather = z.object({ city: z.string(), celsius: z.number() });

for (const family of families("sdk-parse-node")) {
  test(`parse ${family}`, async () => {
    const { request } = fixture(`${family}sdk-parse-node`);
    const response_format = zodResponseFormat(Weather, "weather");
    const answer = await client.chat.completions.parse({ ...request, response_format });
    assert.deepEqual(answer.choices[0].message.parsed, { city: "Oslo", celsius: 4 });
  });
}

for (const family of families("sdk-loop-1")) {
  test(`streamed tool loop ${family}`, async () => {
    const first = fixture(`${family}sdk-loop-1`).request;
    const last = fixture(`${family}sdk-loop-2`);
    const runner = client.chat.completions.stream(first);
    const turn = await runner.finalMessage();
    assert.equal(turn.tool_calls.length, 1);
    const [{ id, type, function: called, ...extra }] = turn.tool_calls;
    assert.deepEqual(JSON.parse(called.arguments), { city: "Oslo" });
    const call = { id, type, function: { name: called.name, arguments: called.arguments }, ...extra };
    const messages = [
      ...first.messages,
      { role: "assistant", content: turn.content, tool_calls: [call] },
      { role: "tool", tool_call_id: id, content: last.request.messages.at(-1).content },
    ];
    const answer = client.chat.completions.stream({ ...first, messages });
    assert.ok(spoken(last).length > 0);
    assert.equal(await answer.finalContent(), spoken(last));
    assert.equal(counter.requests, 2);
  });

  test(`cancelled stream ${family}`, async () => {
    const source = fixture(`${family}sdk-loop-2`);
    const root = mkdtempSync(path.join(tmpdir(), "waypost-slow-"));
    const slowed = path.join(root, path.dirname(source.name), "slow");
    cpSync(source.folder, slowed, { recursive: true });
    writeFileSync(path.join(slowed, "chunks"), source.pieces.map((piece) => `${piece.length} 300\n`).join(""));
    const slow = await startWaypost(root, "--recorded-pace");
    try {
      const impatient = new OpenAI({ baseURL: `http://127.0.0.1:${slow.port}/v1`, apiKey: "unused" });
      const stream = await impatient.chat.completions.create(source.request);
      for await (const chunk of stream) {
        assert.equal(chunk.choices[0].delta.role, "assistant");
        stream.controller.abort();
        break;
      }
      // Where leaving does not end the bill, the rest is heard first, so that the cost is known.
      const bills = BILLS_ON.some((provider) => source.name.startsWith(`${provider}/`));
      const until = Date.now() + 1000 + (bills ? 300 * source.pieces.length : 0);
      while (Date.now() < until && slow.calls().length === 0) await sleep(50);
      assert.deepEqual(slow.calls().map((call) => call.outcome), ["client_gone"]);
    } finally {
      slow.stop();
    }
  });
}

// What becomes of a provider's failure: our status, our code, the exception.
const CLASSES = {
  "error-400-context": [400, "context_length_exceeded", OpenAI.BadRequestError],
  "error-401": [502, "upstream_auth_error", OpenAI.InternalServerError],
  "error-429-retry-after": [429, "rate_limit_exceeded", OpenAI.RateLimitError],
  "error-500": [502, "upstream_error", OpenAI.InternalServerError],
  "error-503": [503, "overloaded", OpenAI.InternalServerError],
  "error-529": [503, "overloaded", OpenAI.InternalServerError],
};

for (const one of fixtures((one) => one.status >= 400)) {
  test(`one request, one exception ${one.name}`, async () => {
    const failed = await client.chat.completions.create(one.request, { headers: one.headers }).then(
      () => assert.fail("it was answered"),
      (error) => error,
    );
    assert.equal(counter.requests, 1);
    assert.ok(failed instanceof OpenAI.APIError);
    assert.equal(failed.headers.get("x-should-retry"), "false");
    const named = Object.keys(CLASSES).find((name) => one.name.endsWith(name));
    const [status, code, kind] = CLASSES[named] ?? [one.status, failed.code, OpenAI.APIError];
    assert.deepEqual([failed.status, failed.code], [status, code]);
    assert.ok(failed instanceof kind);
  });
}
