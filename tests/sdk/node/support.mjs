// The project's fixtures, Waypost in replay mode, and a counter before it. No test stands here.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, openSync, readFileSync, readdirSync } from "node:fs";
import { mkdtempSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export const FIXTURES = process.env.WAYPOST_FIXTURES;
const BINARY = process.env.WAYPOST_BINARY;
const CHAT = "POST /v1/chat/completions HTTP/1.1\r\n";

/** One folder of fixtures, by `provider/name`. */
export function fixture(name) {
  const folder = path.join(FIXTURES, name);
  const at = (file) => path.join(folder, file);
  const text = (file) => (existsSync(at(file)) ? readFileSync(at(file), "utf8") : undefined);
  const lines = (text("headers") ?? "").split("\n").filter((line) => line.includes(":"));
  const pair = (line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()];
  return {
    name,
    folder,
    // Where there is one, it is another endpoint than chat.
    path: text("path"),
    request: parsed(text("request.json")),
    headers: Object.fromEntries(lines.map(pair)),
    status: Number(text("expected.status") ?? 200),
    expected: expected(text("expected.sse"), text("expected.json")),
    pieces: pieces(at("response.http")),
  };
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function expected(stream, whole) {
  if (stream === undefined) return parsed(whole);
  const events = stream.split("\n").filter((line) => line.startsWith("data: "));
  return events.map((line) => line.slice(6)).filter((event) => event !== "[DONE]").map((event) => JSON.parse(event));
}

/** The body of a recorded answer, cut behind each blank line, or behind each frame of a binary stream. */
function pieces(file) {
  if (!existsSync(file)) return undefined;
  const response = readFileSync(file, "latin1");
  const [gap] = response.match(/\r?\n\r?\n/);
  const at = response.indexOf(gap);
  const body = response.slice(at + gap.length);
  if (response.slice(0, at).includes("application/vnd.amazon.eventstream")) return frames(body);
  return body.split(/(?<=\n\r?\n)/).filter((piece) => piece.length > 0);
}

/** The frames of an event stream: each begins with its length. */
function frames(body) {
  const found = [];
  for (let at = 0; at < body.length; at += found.at(-1).length) {
    const size = Buffer.from(body.slice(at, at + 4), "latin1").readUInt32BE();
    found.push(body.slice(at, at + size));
  }
  return found;
}

/** What stands before `name` in the fixtures that are called so: `anthropic/`, `bedrock/claude-`. */
export function families(name) {
  return fixtures((one) => one.name.endsWith(name)).map((one) => one.name.slice(0, -name.length));
}

/** All fixtures that satisfy a predicate: of chat, unless they say that they are sent elsewhere. */
export function fixtures(predicate, sent) {
  const names = readdirSync(FIXTURES).flatMap((provider) =>
    readdirSync(path.join(FIXTURES, provider)).map((name) => `${provider}/${name}`),
  );
  return names.sort().map(fixture).filter((one) => one.request !== undefined && one.path?.trim() === sent && predicate(one));
}

/** What a streamed answer says. */
export function spoken(one) {
  const words = one.expected.flatMap((chunk) => chunk.choices).map((choice) => choice.delta.content ?? "");
  return words.join("");
}

/** Whether the client gets an answer and no error, neither at once nor within the stream. */
export function succeeds(one) {
  return one.status === 200 && [one.expected].flat().every((part) => part && part.error === undefined);
}

async function freePort() {
  const probe = net.createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  return port;
}

/** Starts the built binary; its log is one JSON object for each line. */
export async function startWaypost(folder = FIXTURES, ...more) {
  const port = await freePort();
  const room = mkdtempSync(path.join(tmpdir(), "waypost-"));
  const log = path.join(room, "log");
  const plain = Object.entries(process.env).filter(([name]) => !/_API_KEY$|^(AWS|AZURE|GOOGLE)_/.test(name));
  const child = spawn(
    BINARY,
    ["--log-format", "json", "serve", "--replay", folder, ...more, "--listen", `127.0.0.1:${port}`],
    { cwd: room, env: { ...Object.fromEntries(plain), RUST_LOG: "info" }, stdio: ["ignore", "ignore", openSync(log, "w")] },
  );
  for (let tries = 0; tries < 500 && child.exitCode === null; tries += 1) {
    const answer = await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => undefined);
    if (answer?.ok) return { port, stop: () => child.kill(), calls: () => calls(log) };
    await sleep(20);
  }
  child.kill();
  throw new Error(`waypost does not serve:\n${readFileSync(log, "utf8")}`);
}

function calls(log) {
  const lines = readFileSync(log, "utf8").split("\n").filter((line) => line.startsWith("{"));
  return lines.map((line) => JSON.parse(line)).map((line) => line.fields ?? line).filter((line) => line.outcome);
}

/** A TCP relay that counts the chat requests that pass it, whatever connection they use. */
export async function startCounter(target) {
  const counter = { requests: 0 };
  const server = net.createServer((client) => {
    const upstream = net.connect(target, "127.0.0.1");
    let tail = "";
    client.on("data", (data) => {
      const seen = tail + data.toString("latin1");
      counter.requests += seen.split(CHAT).length - 1;
      tail = seen.slice(-(CHAT.length - 1));
    });
    client.pipe(upstream).pipe(client);
    client.on("error", () => upstream.destroy());
    client.on("close", () => upstream.destroy());
    upstream.on("error", () => client.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  counter.baseURL = `http://127.0.0.1:${server.address().port}/v1`;
  counter.close = () => server.close();
  return counter;
}
