"""Providers that answer whatever they are asked, in their own format: a server on this machine.

What they say follows from the request: a tool call where tools are offered, JSON where a schema is asked for, else a
word. The answers are written after the providers' documentation, and each request is kept for the test to look at.
"""

import json
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CITY = {"city": "Oslo"}
WORDS = ["Hi", " ", "there"]


@dataclass(frozen=True)
class Ask:
    """A request as a provider got it."""

    provider: str
    path: str
    body: dict

    @property
    def model(self):
        return self.body.get("model") or self.path.split("/models/")[1].split(":")[0]

    @property
    def streams(self):
        return bool(self.body.get("stream")) or ":streamGenerateContent" in self.path

    @property
    def tool(self):
        """The name of the tool that is offered first, in whatever format."""
        for tool in self.body.get("tools") or []:
            tool = (tool.get("functionDeclarations") or [tool.get("function") or tool])[0]
            if "name" in tool:
                return tool["name"]
        return None

    @property
    def wants_json(self):
        text = json.dumps({name: self.body.get(name) for name in JSON_MEMBERS})
        return "json_schema" in text or "responseJsonSchema" in text

    @property
    def images(self):
        return json.dumps(self.body).count("iVBORw0KGgo")


# Where a format says that JSON is wanted.
JSON_MEMBERS = ["response_format", "output_config", "text", "generationConfig"]


class Upstream:
    """Speaks the four formats behind `/NAME`, where NAME is a provider's. Those in `down` are overloaded."""

    def __init__(self):
        self.asked = []
        self.down = set()
        self.pause = 0.0
        upstream = self

        class Answerer(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                upstream.answer(self)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answerer)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, provider, path=""):
        return f"http://127.0.0.1:{self.server.server_port}/{provider}{path}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def answer(self, http):
        body = json.loads(http.rfile.read(int(http.headers["content-length"])))
        _, provider, path = http.path.split("/", 2)
        ask = Ask(provider, "/" + path, body)
        self.asked.append(ask)
        if provider in self.down:
            return send(http, 529, json.dumps({"error": {"message": "Too much.", "type": "overloaded_error"}}))
        pieces = FORMATS[format_of(ask.path)](ask)
        if not ask.streams:
            return send(http, 200, json.dumps(pieces))
        http.send_response(200)
        http.send_header("content-type", "text/event-stream")
        http.send_header("transfer-encoding", "chunked")
        http.end_headers()
        try:
            for piece in pieces:
                event = f"event: {piece['type']}\n" if "type" in piece else ""
                data = piece if isinstance(piece, str) else json.dumps(piece)
                text = f"{event}data: {data}\n\n".encode()
                http.wfile.write(b"%x\r\n%b\r\n" % (len(text), text))
                time.sleep(self.pause)
            http.wfile.write(b"0\r\n\r\n")
        except OSError:
            http.close_connection = True


def send(http, status, text):
    http.send_response(status)
    http.send_header("content-type", "application/json")
    http.send_header("content-length", str(len(text.encode())))
    http.end_headers()
    http.wfile.write(text.encode())


def format_of(path):
    return next(format for format in FORMATS if format in path)


def words(ask):
    return [json.dumps(CITY)] if ask.wants_json else WORDS


def chat(ask):
    """OpenAI's chat completions."""
    call = {"id": "call_1", "type": "function", "function": {"name": ask.tool, "arguments": json.dumps(CITY)}}
    usage = {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17}
    head = {"id": "chatcmpl-1", "created": 1_795_500_000, "model": ask.model}
    finish = "tool_calls" if ask.tool else "stop"
    if not ask.streams:
        said = {"content": None, "tool_calls": [call]} if ask.tool else {"content": "".join(words(ask))}
        choice = {"index": 0, "message": {"role": "assistant", **said}, "logprobs": None, "finish_reason": finish}
        return {**head, "object": "chat.completion", "choices": [choice], "usage": usage}
    deltas = [{"tool_calls": [{"index": 0, **call}]}] if ask.tool else [{"content": word} for word in words(ask)]
    deltas = [{"role": "assistant", "content": ""}, *deltas]
    choices = [[{"index": 0, "delta": delta, "finish_reason": None}] for delta in deltas]
    choices.append([{"index": 0, "delta": {}, "finish_reason": finish}])
    head["object"] = "chat.completion.chunk"
    chunks = [{**head, "choices": choice} for choice in choices]
    return [*chunks, {**head, "choices": [], "usage": usage}, "[DONE]"]


def responses(ask):
    """OpenAI's responses."""
    text = "".join(words(ask))
    part = {"type": "output_text", "annotations": [], "text": text}
    message = {"id": "msg_1", "type": "message", "status": "completed", "role": "assistant", "content": [part]}
    call = {"id": "fc_1", "type": "function_call", "status": "completed", "call_id": "call_1", "name": ask.tool,
            "arguments": json.dumps(CITY)}  # fmt: skip
    item = call if ask.tool else message
    usage = {"input_tokens": 12, "output_tokens": 5, "total_tokens": 17}
    whole = {"id": "resp_1", "object": "response", "created_at": 1_795_500_000, "status": "completed", "error": None,
             "incomplete_details": None, "model": ask.model, "output": [item], "usage": usage}  # fmt: skip
    if not ask.streams:
        return whole
    at = {"item_id": item["id"], "output_index": 0}
    empty = {"arguments": ""} if ask.tool else {"content": []}
    pieces = (
        [{"type": "response.function_call_arguments.delta", "delta": json.dumps(CITY), **at}]
        if ask.tool
        else [{"type": "response.output_text.delta", "delta": word, "content_index": 0, **at} for word in words(ask)]
    )
    events = [
        {"type": "response.created", "response": {**whole, "status": "in_progress", "output": [], "usage": None}},
        {"type": "response.output_item.added", "output_index": 0, "item": {**item, **empty, "status": "in_progress"}},
        *pieces,
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": whole},
    ]
    return [{**event, "sequence_number": at} for at, event in enumerate(events)]


def messages(ask):
    """Anthropic's messages."""
    call = {"type": "tool_use", "id": "toolu_1", "name": ask.tool, "input": CITY}
    stop = "tool_use" if ask.tool else "end_turn"
    whole = {"id": "msg_1", "type": "message", "role": "assistant", "model": ask.model, "stop_sequence": None}
    usage = {"input_tokens": 12, "output_tokens": 5}
    block = call if ask.tool else {"type": "text", "text": "".join(words(ask))}
    if not ask.streams:
        return {**whole, "content": [block], "stop_reason": stop, "usage": usage}
    start = {**whole, "content": [], "stop_reason": None, "usage": {**usage, "output_tokens": 1}}
    deltas = (
        [{"type": "input_json_delta", "partial_json": json.dumps(CITY)}]
        if ask.tool
        else [{"type": "text_delta", "text": word} for word in words(ask)]
    )
    return [
        {"type": "message_start", "message": start},
        {"type": "content_block_start", "index": 0, "content_block": {**block, **({"input": {}} if ask.tool else {"text": ""})}},
        *({"type": "content_block_delta", "index": 0, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": stop, "stop_sequence": None}, "usage": {"output_tokens": 5}},
        {"type": "message_stop"},
    ]


def generate(ask):
    """Gemini's contents."""
    parts = (
        [{"functionCall": {"id": "fc_1", "name": ask.tool, "args": CITY}}]
        if ask.tool
        else [{"text": word} for word in words(ask)]
    )
    usage = {"promptTokenCount": 12, "candidatesTokenCount": 5, "totalTokenCount": 17}

    def piece(parts, finish):
        candidate = {"content": {"role": "model", "parts": parts}, "index": 0, **finish}
        return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": ask.model, "responseId": "r1"}

    if not ask.streams:
        return piece(parts, {"finishReason": "STOP"})
    return [*(piece([part], {}) for part in parts), piece([{"text": ""}], {"finishReason": "STOP"})]


# By what stands in the path.
FORMATS = {
    "/chat/completions": chat,
    "/responses": responses,
    "/messages": messages,
    "/models/": generate,
}
