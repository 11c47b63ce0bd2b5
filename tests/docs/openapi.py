"""The OpenAPI document as Markdown: a table a route, and the types of bodies and answers."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import groupby
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]
Place: TypeAlias = tuple[str, str]
"""A method and a path."""
Row: TypeAlias = tuple[str, str]
"""What a row of a table is about, and what it says."""

TYPES_PAGE = "api-types.md"
_PREFIX = "#/components/schemas/"
_CLIENT_ERROR = 400


@cache
def openapi() -> Json:
    """The document, as the command prints it."""
    command = [sys.executable, "-m", "nullspend_margins", "openapi"]
    found: Json = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return found


def places() -> list[Place]:
    """Every method and path."""
    return [
        (method.upper(), path)
        for path, operations in openapi()["paths"].items()
        for method in operations
    ]


def facts(routes: Sequence[Place]) -> str:
    """One table of what the document says about routes that share a section.

    What is not the same for all of them is told with the path it is about.
    """
    told = [(path, _rows(_operation(method, path))) for method, path in routes]
    rows: dict[Row, None] = {}
    for path, found in told:
        for row in found:
            everywhere = all(row in others for _, others in told)
            rows[row if everywhere else _of_path(row, path)] = None
    gathered: dict[str, list[str]] = {}
    for label, text in rows:
        gathered.setdefault(label, []).append(text)
    lines = [f"| {label} | {_together(gathered[label])} |" for label in _ordered(gathered)]
    return "\n".join(["| | |", "|---|---|", *lines])


def _together(texts: Iterable[str]) -> str:
    """In order; what begins with the same status has it once."""
    by_start = groupby(sorted(texts), key=lambda text: text.partition(" ")[0])
    return "; ".join(
        f"{start} {', '.join(text.partition(' ')[2] for text in found)}"
        if start.isdecimal()
        else "; ".join(found)
        for start, found in by_start
    )


def types() -> str:
    """A section and a table of fields for every type."""
    schemas = openapi()["components"]["schemas"]
    return "\n\n".join(_type(name, schema) for name, schema in schemas.items())


def _operation(method: str, path: str) -> Json:
    found: Json = openapi()["paths"][path][method.lower()]
    return found


def _ordered(labels: Iterable[str]) -> list[str]:
    """Whom it is for, then what goes in, then what comes out."""
    first = ("for", "path", "query", "header", "body", "2", "errors")
    return sorted(
        labels, key=lambda label: [label.startswith(each) for each in first], reverse=True
    )


def _of_path(row: Row, path: str) -> Row:
    """A row that is not true of every route of its table."""
    label, text = row
    return label, text if label.startswith("path ") else f"{text} (`{path}`)"


def _rows(operation: Json) -> list[Row]:
    rows = [("for", _who(operation))]
    for each in operation.get("parameters", ()):
        needed = ", required" if each["required"] else ""
        text = f"{_cell(each['description'])} ({described(each['schema'])}{needed})"
        rows.append((f"{each['in']} `{each['name']}`", text))
    if "requestBody" in operation:
        rows.append(("body", _content(operation["requestBody"]["content"])))
    for status, answer in operation["responses"].items():
        if int(status) < _CLIENT_ERROR:
            rows.append((status, f"{_content(answer['content'])}: {_cell(answer['description'])}"))
        else:
            codes = answer["description"].split(" or ")
            rows += [("errors", f"{status} {code}") for code in codes]
    return rows


def _who(operation: Json) -> str:
    """Who may ask: the last paragraph of what the document says."""
    return _cell(operation["description"].rpartition("\n\n")[2])


def _content(content: Json) -> str:
    return " or ".join(
        described(each["schema"]) if media == "application/json" else f"`{media}`"
        for media, each in content.items()
    )


def _type(name: str, schema: Json) -> str:
    lines = [f"## {name}", "", schema["description"].replace("``", "`"), ""]
    if "properties" not in schema:
        return "\n".join([*lines, described(schema)])
    lines += ["| field | type | |", "|---|---|---|"]
    for field, kind in schema["properties"].items():
        notes = [_note(kind)] if _note(kind) else []
        if field not in schema["required"] and kind.get("default") is not None:
            notes.append(f"Default: `{json.dumps(kind['default'])}`.")
        optional = "" if field in schema["required"] else ", optional"
        lines.append(f"| `{field}` | {described(kind)}{optional} | {' '.join(notes)} |")
    return "\n".join(lines)


def _note(kind: Json) -> str:
    """The description of a field's type, or of the one beside null."""
    if "description" in kind:
        return _cell(kind["description"])
    return next((_note(each) for each in kind.get("anyOf", ()) if each != {"type": "null"}), "")


def described(schema: Json) -> str:
    """A schema in a few words; types by a link."""
    if "$ref" in schema:
        name = schema["$ref"].removeprefix(_PREFIX)
        return f"[{name}]({TYPES_PAGE}#{name.lower()})"
    if "anyOf" in schema:
        return _any_of(schema["anyOf"])
    if "enum" in schema:
        return " or ".join(f"`{each}`" for each in schema["enum"])
    return _SHAPES.get(schema.get("type", ""), _scalar)(schema)


def _any_of(schemas: Sequence[Json]) -> str:
    words = list(dict.fromkeys(map(described, schemas)))
    if words == ["integer", "number"]:
        return "number"
    return " or ".join(words)


def _object(schema: Json) -> str:
    properties = schema.get("properties", {})
    if set(properties) == {"data"}:
        return f"`data`: {described(properties['data'])}"
    if isinstance(schema.get("additionalProperties"), dict):
        limit = f" of at most {schema['maxProperties']}" if "maxProperties" in schema else ""
        return f"object{limit}, each value {described(schema['additionalProperties'])}"
    return "object"


def _array(schema: Json) -> str:
    most, least = schema.get("maxItems"), schema.get("minItems")
    limit = f" of {least} to {most}:" if most else " of"
    return f"list{limit} {described(schema['items'])}"


def _scalar(schema: Json) -> str:
    kind: str = _FORMATS.get(schema.get("format", ""), schema.get("type", "anything"))
    if "maxLength" in schema:
        return f"{kind} of {schema.get('minLength', 0)} to {schema['maxLength']:,} characters"
    if "maximum" in schema:
        return f"{kind}, {schema['minimum']} to {schema['maximum']:,}"
    return kind


def _cell(text: str) -> str:
    """Text as it may stand in a table."""
    return text.replace("``", "`").replace("\n", " ").replace("|", "\\|")


_SHAPES = {"object": _object, "array": _array}
_FORMATS = {"date-time": "time", "uuid": "UUID"}
