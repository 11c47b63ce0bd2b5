"""A page as a browser reads it, as far as tests want to know."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass(frozen=True)
class Element:
    """A start tag."""

    tag: str
    attributes: dict[str, str]


@dataclass
class Markup:
    """Its elements in order, and its text in one line."""

    elements: list[Element] = field(default_factory=list)
    text: str = ""

    @classmethod
    def of(cls, page: str) -> Markup:
        reader = _Reader()
        reader.feed(page)
        reader.close()
        return cls(reader.elements, " ".join("".join(reader.texts).split()))

    def all(self, tag: str, **attributes: str) -> list[Element]:
        """Elements of a tag with these attributes; ``class_`` for ``class``."""
        wanted = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
        return [
            each
            for each in self.elements
            if each.tag == tag and wanted.items() <= each.attributes.items()
        ]

    def field(self, name: str) -> str:
        """The value of the first input of a name."""
        return self.all("input", name=name)[0].attributes["value"]

    def links(self) -> list[str]:
        return [each.attributes["href"] for each in self.all("a") if "href" in each.attributes]

    def problems(self) -> list[str]:
        """What the content security policy refuses, and ids that are there twice."""
        found = [
            f"<{each.tag} {name}>"
            for each in self.elements
            for name in each.attributes
            if name.startswith("on") or name == "style"
        ]
        found += [
            f"<{each.tag}>"
            for each in self.elements
            if each.tag in {"style", "iframe", "object", "embed", "base"}
            or (each.tag == "script" and "src" not in each.attributes)
        ]
        for name in ("href", "src", "action"):
            found += [
                f"{name}={each.attributes[name]}"
                for each in self.elements
                if each.attributes.get(name, "/")[0] not in "/#"
            ]
        ids = Counter(each.attributes["id"] for each in self.elements if "id" in each.attributes)
        return found + [
            f"#{name} is there {count} times" for name, count in ids.items() if count > 1
        ]


_WITHIN_A_LINE = {"a", "b", "bdi", "code", "span", "strong", "time"}


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, {name: value or "" for name, value in attrs}))
        self._part(tag)

    def handle_endtag(self, tag: str) -> None:
        self._part(tag)

    def _part(self, tag: str) -> None:
        """What is no piece of a line does not stick to what is beside it."""
        if tag not in _WITHIN_A_LINE:
            self.texts.append(" ")

    def handle_data(self, data: str) -> None:
        self.texts.append(data)
