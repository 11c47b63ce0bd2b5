"""JSON Schema of the wire's types, in the form that generators of clients read best."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from msgspec.json import schema_components

from nullspend_margins.web.failures import STATUS_OF_CODE
from nullspend_margins.web.route import Reply, Route
from nullspend_margins.web.wire.errors import DETAILS, ErrorEnvelope

Json = dict[str, Any]

_REF = "#/components/schemas/{name}"
_NULL = {"type": "null"}
_TOLD = ("description", "examples")
# Python's regular expressions and those of JSON Schema (ECMA 262) differ in these places only.
# A lone surrogate is no text in JSON Schema; that it is refused stands in the document's head.
_ECMA = {r"(?!\n)$": "$", r"\ud800-\udfff": ""}


class Schemas:
    """The schema of every type the table mentions: structs and titled types by reference."""

    def __init__(self, routes: Sequence[Route]) -> None:
        kinds = [ErrorEnvelope, *DETAILS, *_kinds(routes)]
        schemas, components = schema_components(kinds, ref_template=_REF)
        self.components: Json = {}
        for name, schema in components.items():
            self.components[name] = self._tidy({**schema, "title": ""})
        # By repr: an annotated type is not hashable when its Meta holds a dict.
        self._found = {
            repr(kind): self._tidy(schema) for kind, schema in zip(kinds, schemas, strict=True)
        }
        self._describe_errors()

    def of(self, kind: Any) -> Json:
        """The schema of a type of the table."""
        found: Json = self._found[repr(kind)]
        return found

    def of_reply(self, reply: Reply) -> Json:
        """The schema of a whole answer."""
        if not reply.kinds:
            return {"type": "string"}
        found = [self.of(kind) for kind in reply.kinds]
        return found[0] if len(found) == 1 else {"anyOf": found}

    def _tidy(self, schema: Json) -> Json:
        """``schema`` with everything in it that has a title moved to the components."""
        title = schema.pop("title", "")
        if "pattern" in schema:
            schema["pattern"] = _ecma(schema["pattern"])
        if isinstance(schema.get("enum"), list):
            schema = {"type": "string", **schema}
        for part in ("items", "propertyNames", "additionalProperties"):
            if part in schema:
                schema[part] = self._tidy(schema[part])
        if "properties" in schema:
            properties = schema["properties"].items()
            schema["properties"] = {name: self._tidy(each) for name, each in properties}
        if "anyOf" in schema:
            schema = self._tidy_choice(schema)
        return self._moved(title, schema) if title else schema

    def _tidy_choice(self, schema: Json) -> Json:
        """What is said of the one type beside null is said of the whole."""
        choices = [self._tidy(each) for each in schema["anyOf"]]
        if schema.get("default", ...) is None:
            del schema["default"]  # null counts as absent anyway
        [first, *others] = choices
        if others == [_NULL]:
            told = {key: first.pop(key) for key in _TOLD if key in first}
            schema = {**told, **schema}
        return {**schema, "anyOf": choices}

    def _moved(self, title: str, schema: Json) -> Json:
        reference = {"$ref": _REF.format(name=title)}
        if "default" in schema:
            reference["default"] = schema.pop("default")
        if schema == {**schema, "type": "object"} and "additionalProperties" not in schema:
            schema["additionalProperties"] = True
        self.components[title] = schema
        return reference

    def _describe_errors(self) -> None:
        """What the structs cannot say: which codes there are, and what details look like."""
        self.components["ErrorCode"]["enum"] = list(STATUS_OF_CODE)
        details = self.components["ErrorBody"]["properties"]["details"]
        details["anyOf"] = [*map(self.of, DETAILS), _NULL]


def _kinds(routes: Iterable[Route]) -> Iterator[Any]:
    for route in routes:
        if route.request is not None:
            yield route.request
        for parameter in route.parameters:
            yield parameter.kind
        for reply in route.replies:
            yield from reply.kinds
            for header in reply.headers.values():
                yield header.kind


def _ecma(pattern: str) -> str:
    for python, javascript in _ECMA.items():
        pattern = pattern.replace(python, javascript)
    return pattern
