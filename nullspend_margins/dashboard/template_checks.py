"""What in a template is bound to fail, or to be seen nowhere, whatever page it is on.

What depends on the page (its variables, names of templates that are made up on the way) shows in
the rendering alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from jinja2 import TemplateSyntaxError, nodes

from nullspend_margins.config.nearest import nearest
from nullspend_margins.dashboard.overrides import ORIGINALS
from nullspend_margins.dashboard.template_library import (
    TemplateLibrary,
    related,
    relations,
    stored,
)

Found = tuple[int, str]
"""A line, and what is wrong there."""


def problems_of(library: TemplateLibrary, name: str, text: str) -> list[Found]:
    """What is wrong with a template's ``text``. ``name`` is what others call it by."""
    try:
        tree = library.environment.parse(text, name)
        found = [
            *_unknown_functions(library, tree),
            *_missing_templates(library, tree, name),
            *_missing_names(library, tree),
            *_missing_members(library, tree),
            *_without_effect(library, tree),
        ]
        if not found:
            library.environment.compile(text, name)
    except TemplateSyntaxError as problem:
        return [(problem.lineno, problem.message or "cannot be read")]
    return sorted(found)


def lacking(library: TemplateLibrary, name: str, pages: Iterable[str]) -> dict[str, str]:
    """What those that ``pages`` are made of import from ``name``, which has it not: and who."""
    exports = library.exports(name)
    found: dict[str, str] = {}
    for user in sorted(library.made_of(pages) - {name}) if exports is not None else ():
        tree = library.tree(user)
        for node in tree.find_all(nodes.FromImport) if tree is not None else ():
            if [*related(node)] == [name]:
                found |= {part: user for part in _imported(node) if part not in (exports or ())}
    return found


def _unknown_functions(library: TemplateLibrary, tree: nodes.Template) -> Iterator[Found]:
    asked = {
        (test.name, test.node.value)  # {% if "money" is filter %}
        for test in tree.find_all(nodes.Test)
        if isinstance(test.node, nodes.Const)
    }
    for kind, node_type, known in (
        ("filter", nodes.Filter, library.environment.filters),
        ("test", nodes.Test, library.environment.tests),
    ):
        for node in tree.find_all(node_type):
            if node.name not in known and (kind, node.name) not in asked:
                yield node.lineno, f"there is no {kind} {node.name}.{_guess(node.name, known)}"


def _missing_templates(
    library: TemplateLibrary, tree: nodes.Template, name: str
) -> Iterator[Found]:
    for node in relations(tree):
        names = related(node)
        if name in names and not isinstance(node, nodes.Include):
            original = f"{ORIGINALS}/{name}"
            guess = f" Did you mean {original}?" if original in library.names else ""
            yield node.lineno, f"{name} is this template itself.{guess}"
        elif names and library.names.isdisjoint(names) and not _may_miss(node):
            wanted = " or ".join(names)
            yield node.lineno, f"there is no template {wanted}.{_guess(names[0], library.names)}"


def _missing_names(library: TemplateLibrary, tree: nodes.Template) -> Iterator[Found]:
    for node in tree.find_all(nodes.FromImport):
        for part in _imported(node):
            yield from _without(library, node, part, node.lineno)


def _missing_members(library: TemplateLibrary, tree: nodes.Template) -> Iterator[Found]:
    """``parts.bagde``, after ``{% import "parts.html" as parts %}``."""
    modules = {node.target: node for node in tree.find_all(nodes.Import)}
    for use in tree.find_all(nodes.Getattr):
        name = use.node.name if isinstance(use.node, nodes.Name) else ""
        if name in modules and name not in stored(tree):
            yield from _without(library, modules[name], use.attr, use.lineno)


def _without(
    library: TemplateLibrary, node: nodes.Import | nodes.FromImport, part: str, line: int
) -> Iterator[Found]:
    """Where the template that is imported has no such part."""
    names = related(node)
    exports = library.exports(names[0]) if len(names) == 1 else None
    if exports is not None and part not in exports:
        yield line, f"{names[0]} has no {part} to import.{_guess(part, exports)}"


def _without_effect(library: TemplateLibrary, tree: nodes.Template) -> Iterator[Found]:
    """Where a template extends another: blocks that it lacks, and macros that it has as well."""
    parents = [name for node in tree.find_all(nodes.Extends) for name in related(node)]
    if len(parents) != 1:
        return
    [parent] = parents
    blocks, exports = library.blocks(parent), library.exports(parent)
    is_called = any(each.name == "self" for each in tree.find_all(nodes.Name))  # self.block()
    for node in tree.body:
        if isinstance(node, nodes.Block) and not is_called and blocks is not None:
            if node.name not in blocks:
                guess = _guess(node.name, blocks)
                yield node.lineno, f"{parent} has no block {node.name} to show this in.{guess}"
        elif isinstance(node, nodes.Macro) and node.name in (exports or ()):
            wrong = f"{parent} has a macro {node.name} too, which wins over this one."
            yield node.lineno, f"{wrong} Import what you keep of it instead of extending it"


def keeping(original: str, parts: Sequence[str]) -> str:
    """How a template that takes the place of another goes on to offer its ``parts``."""
    sets = "".join(f"{{% set {part} = {part} %}}" for part in parts)
    return f'{{% from "{original}" import {", ".join(parts)} with context %}}{sets}'


def _imported(node: nodes.FromImport) -> list[str]:
    return [each if isinstance(each, str) else each[0] for each in node.names]


def _may_miss(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Include) and node.ignore_missing


def _guess(written: str, known: Collection[str]) -> str:
    guess = nearest(written, known)
    return f" Did you mean {guess}?" if guess is not None else ""
