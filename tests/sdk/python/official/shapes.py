"""Requests as the providers' published models have them, where an SDK keeps them in other ways than as types."""

import base64
import inspect
import json
import typing
import urllib.parse

import botocore.session
from botocore.serialize import create_serializer
from botocore.validate import ParamValidator
from cohere.v2.client import V2Client
from pydantic import ConfigDict, TypeAdapter, create_model

from forbid import forbid

SERVICE = botocore.session.Session().get_service_model("bedrock-runtime")


def converse_complaints(path, body):
    """Where a request of the Converse API is not what AWS's own model says: its values, and its way over the wire."""
    _, model, verb = path.removeprefix("/").split("/")
    operation = SERVICE.operation_model({"converse": "Converse", "converse-stream": "ConverseStream"}[verb])
    try:
        asked = {"modelId": urllib.parse.unquote(model), **in_memory(body, operation.input_shape)}
    except (ValueError, AttributeError, TypeError) as error:
        return f"not of the shape: {error}"
    report = ParamValidator().validate(asked, operation.input_shape)
    if report.has_errors():
        return report.generate_report()
    sent = create_serializer(SERVICE.resolved_protocol).serialize_to_request(asked, operation)
    if sent["url_path"] != path:
        return f"the path is {sent['url_path']}"
    return "" if json.loads(sent["body"]) == body else "botocore would send another body"


def in_memory(value, shape):
    """A JSON value as a program hands it to botocore: bytes where the wire has base64."""
    if shape.type_name == "blob":
        return base64.b64decode(value, validate=True)
    if shape.type_name == "structure" and not getattr(shape, "is_document_type", False):
        inner = shape.members
        return {name: in_memory(part, inner[name]) if name in inner else part for name, part in value.items()}
    if shape.type_name == "list":
        return [in_memory(part, shape.member) for part in value]
    if shape.type_name == "map":
        return {name: in_memory(part, shape.value) for name, part in value.items()}
    return value


def parameters(method, **more):
    """The body of a request that an SDK has as a method's parameters only, and members that the method adds."""
    hints = typing.get_type_hints(method, include_extras=True)
    fields = {}
    for name, parameter in inspect.signature(method).parameters.items():
        if name in hints and name not in CLIENTS_OWN:
            default = ... if parameter.default is inspect.Parameter.empty else None
            fields[name] = (forbid(hints[name]), default)
    return TypeAdapter(create_model("Body", __config__=ConfigDict(extra="forbid"), **fields, **more))


# What the client does with them is not for the server.
CLIENTS_OWN = ("request_options", "batching")
COHERE = {
    False: parameters(V2Client.chat, stream=(typing.Literal[False], False)),
    True: parameters(V2Client.chat_stream, stream=(typing.Literal[True], ...)),
}
