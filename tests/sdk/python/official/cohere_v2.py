"""Answers of the v2 chat API as Cohere's own SDK reads them."""

import cohere
from cohere.core.api_error import ApiError

from official.record import Record, tokens

FINISH = {
    "COMPLETE": "stop",
    "STOP_SEQUENCE": "stop",
    "TOOL_CALL": "tool_calls",
    "MAX_TOKENS": "length",
    "ERROR_TOXIC": "content_filter",
}


def read(url, model, streamed):
    """Asks for one answer and says what is in it."""
    client = cohere.ClientV2(api_key="key", base_url=url)
    ask = {"model": model, "messages": [{"role": "user", "content": "Hello"}]}
    try:
        return told_in_stream(client.chat_stream(**ask)) if streamed else told_at_once(client.chat(**ask))
    except ApiError as error:
        return Record(error={"status": error.status_code, "message": error.body["message"]})


def told_at_once(answer):
    message = answer.message
    record = Record(finish=FINISH[answer.finish_reason], usage=usage(answer.usage), reasoning=message.tool_plan or "")
    for block in message.content or []:
        record.text += block.text if block.type == "text" else ""
        record.reasoning += block.thinking if block.type == "thinking" else ""
    for call in message.tool_calls or []:
        record.call(call.function.name, call.function.arguments or "{}")
    return record.settle()


def told_in_stream(events):
    record, calls = Record(), {}
    for event in events:
        if event.type in ("content-start", "content-delta"):
            content = event.delta.message.content
            record.text += content.text or ""
            record.reasoning += content.thinking or ""
        elif event.type == "tool-plan-delta":
            record.reasoning += event.delta.message.tool_plan
        elif event.type == "tool-call-start":
            function = event.delta.message.tool_calls.function
            calls[event.index] = [function.name, function.arguments or ""]
        elif event.type == "tool-call-delta":
            calls[event.index][1] += event.delta.message.tool_calls.function.arguments
        elif event.type == "message-end":
            record.finish, record.usage = FINISH[event.delta.finish_reason], usage(event.delta.usage)
    for name, arguments in calls.values():
        record.call(name, arguments or "{}")
    return record.settle()


def usage(told):
    """What the model read and wrote, not what is billed; cached tokens are among those that it read."""
    if told is None or told.tokens is None:
        return None
    return tokens(told.tokens.input_tokens, told.tokens.output_tokens, told.cached_tokens)
