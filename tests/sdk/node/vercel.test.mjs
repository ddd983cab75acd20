// Vercel's AI SDK runs a streamed tool loop on each dialect: it sends the second turn by itself.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { createOpenAI } from "@ai-sdk/openai";
import { jsonSchema, stepCountIs, streamText, tool } from "ai";

import { families, fixture, spoken, startCounter, startWaypost } from "./support.mjs";

let waypost;

before(async () => {
  waypost = await startWaypost();
});
after(() => waypost?.stop());

// Keys of their own: what Waypost remembers of turns is kept apart by them.
const WAYS = {
  "openai-compatible": (baseURL) => createOpenAICompatible({ name: "waypost", baseURL, apiKey: "first" }),
  openai: (baseURL) => createOpenAI({ baseURL, apiKey: "second" }).chat,
};

for (const [way, connect] of Object.entries(WAYS)) {
  for (const family of families("sdk-loop-1")) {
    test(`streamed tool loop ${family} by ${way}`, async (t) => {
      const counter = await startCounter(waypost.port);
      // A failing test must not leave a listener behind that keeps the run from ending.
      t.after(() => counter.close());
      const first = fixture(`${family}sdk-loop-1`).request;
      const last = fixture(`${family}sdk-loop-2`);
      const [{ function: wanted }] = first.tools;
      const asked = [];
      const failures = [];
      const run = streamText({
        model: connect(counter.baseURL)(first.model),
        system: first.messages[0].content,
        prompt: first.messages[1].content,
        tools: {
          [wanted.name]: tool({
            description: wanted.description,
            inputSchema: jsonSchema(wanted.parameters),
            execute: async (input) => {
              asked.push(input);
              return last.request.messages.at(-1).content;
            },
          }),
        },
        toolChoice: first.tool_choice,
        maxOutputTokens: first.max_completion_tokens,
        stopWhen: stepCountIs(3),
        maxRetries: 0,
        onError: ({ error }) => failures.push(error),
      });
      const words = [];
      for await (const word of run.textStream) words.push(word);
      assert.deepEqual(failures, []);
      assert.deepEqual(asked, [{ city: "Oslo" }]);
      assert.equal(words.join(""), spoken(last));
      assert.ok(words.length > 1, "it came as a stream");
      assert.equal(counter.requests, 2);
    });
  }
}
