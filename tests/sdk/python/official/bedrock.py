"""Converse answers as botocore reads them: its client, its event stream with its checksums, its model of the shapes."""

import functools
import json

import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

from official.record import Record, tokens

FINISH = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "guardrail_intervened": "content_filter",
    "content_filtered": "content_filter",
}


@functools.cache
def client(url):
    return botocore.session.Session().create_client(
        "bedrock-runtime",
        region_name="us-east-1",
        endpoint_url=url,
        aws_access_key_id="id",
        aws_secret_access_key="secret",
        config=Config(retries={"total_max_attempts": 1}),
    )


def read(url, model, streamed):
    """Asks for one answer and says what is in it."""
    ask = {"modelId": model, "messages": [{"role": "user", "content": [{"text": "Hello"}]}]}
    try:
        if streamed:
            return told_in_stream(client(url).converse_stream(**ask)["stream"])
        return told_at_once(client(url).converse(**ask))
    except ClientError as error:
        meta, said = error.response["ResponseMetadata"], error.response
        message = said.get("message") or said["Error"]["Message"]
        return Record(error={"status": meta["HTTPStatusCode"], "message": message})


def told_at_once(answer):
    record = Record(finish=FINISH[answer["stopReason"]], usage=usage(answer.get("usage")))
    for block in answer["output"]["message"]["content"]:
        record.text += block.get("text", "")
        record.reasoning += block.get("reasoningContent", {}).get("reasoningText", {}).get("text", "")
        if is_call(block.get("toolUse")):
            record.call(block["toolUse"]["name"], json.dumps(block["toolUse"]["input"]))
    return record.settle()


def told_in_stream(events):
    record, calls = Record(), {}
    for event in events:
        (kind, said), *_ = event.items()
        if kind == "contentBlockStart" and is_call(said["start"].get("toolUse")):
            calls[said["contentBlockIndex"]] = [said["start"]["toolUse"]["name"], ""]
        elif kind == "contentBlockDelta":
            delta = said["delta"]
            record.text += delta.get("text", "")
            record.reasoning += delta.get("reasoningContent", {}).get("text", "")
            if said["contentBlockIndex"] in calls:
                calls[said["contentBlockIndex"]][1] += delta.get("toolUse", {}).get("input", "")
        elif kind == "messageStop":
            record.finish = FINISH[said["stopReason"]]
        elif kind == "metadata":
            record.usage = usage(said["usage"])
    for name, arguments in calls.values():
        record.call(name, arguments or "{}")
    return record.settle()


def is_call(use):
    """Tools that the provider runs itself are not the client's to answer."""
    return use is not None and use.get("type") != "server_tool_use"


def usage(told):
    """Tokens read from a cache and written to one are counted apart from `inputTokens`."""
    if told is None:
        return None
    cached, written = told.get("cacheReadInputTokens"), told.get("cacheWriteInputTokens")
    return tokens(told["inputTokens"] + (cached or 0) + (written or 0), told["outputTokens"], cached)
