"""What Waypost answers, as the official OpenAI SDK reads it."""

import openai

from official.record import Record, tokens


def ask(client, model, streamed, names):
    """Asks a model of Waypost's, with tools of these names; says what is in the answer."""
    tools = [{"type": "function", "function": {"name": name, "parameters": {"type": "object"}}} for name in names]
    request = {"model": model, "messages": [{"role": "user", "content": "Hello"}], "tools": tools or openai.omit}
    record = Record()
    try:
        if streamed:
            request |= {"stream": True, "stream_options": {"include_usage": True}}
            gather(record, client.chat.completions.create(**request))
        else:
            tell(record, client.chat.completions.create(**request))
    except openai.APIStatusError as error:
        record.error = {"status": error.status_code, "message": error.message}
    except openai.APIError as error:
        record.error = {"status": None, "message": error.message}
    return record


def tell(record, answer):
    choice = answer.choices[0]
    record.text = choice.message.content or ""
    record.reasoning = getattr(choice.message, "reasoning_content", None) or ""
    record.finish, record.usage = choice.finish_reason, usage(answer.usage)
    for call in choice.message.tool_calls or []:
        record.call(call.function.name, call.function.arguments)


def gather(record, chunks):
    """Adds up a stream into the record; what came before a failure stays in it."""
    calls = {}
    for chunk in chunks:
        if chunk.usage:
            record.usage = usage(chunk.usage)
        for choice in chunk.choices:
            record.text += choice.delta.content or ""
            record.reasoning += getattr(choice.delta, "reasoning_content", None) or ""
            record.finish = choice.finish_reason or record.finish
            for part in choice.delta.tool_calls or []:
                call = calls.setdefault(part.index, ["", ""])
                call[0] += part.function.name or ""
                call[1] += part.function.arguments or ""
    for name, arguments in calls.values():
        record.call(name, arguments)


def usage(told):
    if told is None:
        return None
    prompt, completion = told.prompt_tokens_details, told.completion_tokens_details
    cached = prompt.cached_tokens if prompt else None
    reasoning = completion.reasoning_tokens if completion else None
    return tokens(told.prompt_tokens, told.completion_tokens, cached or 0, reasoning or 0)
