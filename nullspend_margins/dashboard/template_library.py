"""Templates as Jinja would find them, parsed, and what each offers to others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from jinja2 import Environment, TemplateError, nodes

Related = nodes.Extends | nodes.Include | nodes.Import | nodes.FromImport
"""Tags that name another template."""


class TemplateLibrary:
    """Of one environment. Answers are ``None`` where only the rendering can tell."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.names: frozenset[str] = frozenset(environment.list_templates())
        self._trees: dict[str, nodes.Template | None] = {}

    def tree(self, name: str) -> nodes.Template | None:
        """``None``: it is not there, or no template; its own check says why."""
        if name not in self._trees:
            self._trees[name] = self._parsed(name)
        return self._trees[name]

    def exports(self, name: str) -> frozenset[str] | None:
        """What may be imported from it: at least that, as a condition may leave some out."""
        found: set[str] = set()
        for each in self._with_parents(name):
            if each is None:
                return None
            found |= {macro.name for macro in each.find_all(nodes.Macro)} | stored(each)
        return frozenset(found)

    def blocks(self, name: str) -> frozenset[str] | None:
        """The blocks that a template which extends it may fill."""
        found: set[str] = set()
        for each in self._with_parents(name):
            if each is None:
                return None
            found |= {block.name for block in each.find_all(nodes.Block)}
        return frozenset(found)

    def made_of(self, names: Iterable[str]) -> frozenset[str]:
        """These, and all that they extend, include and import."""
        found: set[str] = set()
        left = list(names)
        while left:
            name = left.pop()
            tree = self.tree(name)
            if name not in found and tree is not None:
                found.add(name)
                left += [each for node in relations(tree) for each in related(node)]
        return frozenset(found)

    def _with_parents(self, name: str) -> Iterator[nodes.Template | None]:
        """It and what it extends, which takes part in all that it does."""
        seen: set[str] = set()
        left = [name]
        while left:
            tree = self.tree(left.pop())
            yield tree
            for node in tree.find_all(nodes.Extends) if tree is not None else ():
                parents = related(node)
                if len(parents) != 1:
                    yield None
                left += [each for each in parents if each not in seen]
                seen.update(parents)

    def _parsed(self, name: str) -> nodes.Template | None:
        loader = self.environment.loader
        try:
            source = loader.get_source(self.environment, name)[0] if loader else ""
            return self.environment.parse(source, name)
        except (TemplateError, OSError, UnicodeDecodeError):
            return None


def relations(tree: nodes.Template) -> Iterator[Related]:
    """All tags of a template that name others."""
    return (node for node in tree.find_all(nodes.Stmt) if isinstance(node, Related))


def related(node: Related) -> Sequence[str]:
    """The templates that are named, of which the first one that is there is taken.

    None where the name is made up in the rendering.
    """
    try:
        names = node.template.as_const()
    except nodes.Impossible:
        return ()
    names = [names] if isinstance(names, str) else names
    is_known = isinstance(names, list | tuple) and all(isinstance(each, str) for each in names)
    return names if is_known else ()


def stored(tree: nodes.Template) -> set[str]:
    """The names that a template sets."""
    return {name.name for name in tree.find_all(nodes.Name) if name.ctx != "load"}
