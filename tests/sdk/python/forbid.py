"""Published types with unknown members refused, all the way down.

The SDKs' own types let unknown members pass. `forbid` rebuilds a type so that it does not: models and typed
dictionaries get `extra="forbid"`, and iterables, which pydantic would not look into, become lists.
"""

import collections.abc
import os
import types
import typing

import typing_extensions
from pydantic import BaseModel, ConfigDict, create_model

BUILT = {}


def forbid(kind):
    """The same type, closed."""
    try:
        if kind in BUILT:
            return BUILT[kind]
    except TypeError:
        return kind
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        BUILT[kind] = model(kind)
        return BUILT[kind]
    if typing_extensions.is_typeddict(kind):
        BUILT[kind] = typed_dict(kind)
        return BUILT[kind]
    return generic(kind)


def generic(kind):
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin is None or origin is typing.Literal:
        return kind
    if origin in (typing.Annotated, typing_extensions.Required, typing_extensions.NotRequired, typing_extensions.ReadOnly):
        return forbid(inner[0])
    # What can be in memory but not in JSON: open files and paths to them.
    closed = tuple(forbid(part) for part in inner if typing.get_origin(part) not in (typing.IO, os.PathLike))
    if origin in (typing.Union, types.UnionType):
        # An enumeration "or anything" is how some generators say that more values may come.
        known = tuple(part for part in closed if part is not typing.Any)
        return typing.Union[known if any(typing.get_origin(part) is typing.Literal for part in known) else closed]
    if origin in (collections.abc.Iterable, collections.abc.Sequence, list):
        return list[closed[0]]
    return origin[closed]


def model(kind):
    fields = {}
    for name, field in kind.model_fields.items():
        default = ... if field.is_required() else field.get_default(call_default_factory=True)
        fields[field.alias or name] = (forbid(field.annotation), default)
    return create_model(kind.__name__, __config__=ConfigDict(extra="forbid", protected_namespaces=()), **fields)


def typed_dict(kind):
    closed = typing_extensions.TypedDict(kind.__name__, members(kind))
    closed.__pydantic_config__ = ConfigDict(extra="forbid")
    return closed


def members(kind):
    """Each member with whether it must be there, as the class that brings it says.

    `__required_keys__` would know, were it not wrong where annotations are strings.
    """
    found = {}
    for base in typing_extensions.get_original_bases(kind):
        if typing_extensions.is_typeddict(base):
            found |= members(base)
    unsaid = typing_extensions.Required if kind.__total__ else typing_extensions.NotRequired
    for name, hint in typing_extensions.get_type_hints(kind, include_extras=True).items():
        said = typing.get_origin(hint)
        plain = said not in (typing_extensions.Required, typing_extensions.NotRequired)
        if name not in found or not plain:
            found[name] = (unsaid if plain else said)[forbid(hint)]
    return found
