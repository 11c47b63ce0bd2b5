"""The files of a new plugin package, from ``templates``. Pure, but for reading those."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from string import Template

PREFIX = "nullspend-margins-"
TAKEN = frozenset(
    (
        "api",
        "csv",
        "host",
        "litellm",
        "local",
        "log",
        "plans",
        "sessions",
        "slack",
        "sql",
        "stripe",
        "webhook",
    )
)
"""Names of plugins that come with the product, and of sources of events."""

_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_LONGEST = 30


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of object: its module, the class in the sample, and the hook that returns it."""

    words: str
    module: str
    sample: str
    hook: str


KINDS: Mapping[str, Kind] = {
    "authenticator": Kind("an authenticator", "authenticator", "Tokens", "register_authenticators"),
    "plan-checker": Kind("a plan checker", "plan_checker", "Plans", "register_plan_checkers"),
    "cost-source": Kind("a cost source", "cost_source", "Costs", "register_cost_sources"),
    "revenue-provider": Kind(
        "a revenue provider", "revenue_provider", "Invoices", "register_revenue_providers"
    ),
    "notifier": Kind("a notifier", "notifier", "Alerts", "register_notifiers"),
}


def name_problem(name: str) -> str | None:
    """Why a plugin can't be called ``name``, with a guess; ``None`` when it can."""
    guess = _slug(name)
    meant = f" Did you mean {guess}?" if guess and guess != name and not _problem(guess) else ""
    problem = _problem(name)
    return f"{name!r} {problem}.{meant}" if problem else None


def render(name: str, kinds: Sequence[str], version: str) -> dict[str, str]:
    """Path to contents of every file of the package. ``name`` and ``kinds`` must be good."""
    chosen = [kind for key, kind in KINDS.items() if key in kinds]
    package = f"{PREFIX}{name}".replace("-", "_")
    values = _values(name, package, chosen, version)
    sources = {
        "pyproject.toml": "pyproject.toml",
        "README.md": "README.md",
        ".gitignore": "gitignore",
        f"src/{package}/__init__.py": "src/init",
        f"src/{package}/plugin.py": "src/plugin",
        f"src/{package}/settings.py": _settings(chosen),
        "tests/test_plugin.py": "tests/plugin",
    }
    for kind in chosen:
        sources[f"src/{package}/{kind.module}.py"] = f"src/{kind.module}"
        sources[f"tests/test_{kind.module}.py"] = f"tests/{kind.module}"
    rendered = {path: _template(source).substitute(values) for path, source in sources.items()}
    return {**rendered, f"src/{package}/py.typed": ""}


def _values(name: str, package: str, kinds: Sequence[Kind], version: str) -> dict[str, str]:
    """What templates may mention."""
    settings = ['url = "https://api.example.com"']
    if _has_token(kinds):
        settings.append(f'token = "env:{name.replace("-", "_").upper()}_TOKEN"')
    return {
        "name": name,
        "title": name.replace("-", " ").title(),
        "package": package,
        "distribution": f"{PREFIX}{name}",
        "settings": "\n".join(settings),
        "table": '{"token": "secret"}' if _has_token(kinds) else "{}",
        "version": version,
        "kinds": " and ".join(kind.words for kind in kinds),
        "imports": _imports(package, kinds),
        "hooks": _hooks(kinds),
    }


def _has_token(kinds: Sequence[Kind]) -> bool:
    """Whether the operator has a token for it: a revenue provider gets one from each org."""
    return any(kind is not KINDS["revenue-provider"] for kind in kinds)


def _settings(kinds: Sequence[Kind]) -> str:
    return "src/settings" if _has_token(kinds) else "src/settings_without_token"


def _problem(name: str) -> str | None:
    if name in TAKEN:
        return "is taken by the product itself"
    if name.startswith(PREFIX):
        return f"begins with {PREFIX}, which is put before it anyway"
    if len(name) > _LONGEST:
        return f"is longer than {_LONGEST} characters"
    if not _NAME.fullmatch(name):
        return "must be small letters and digits, in words with - between them"
    return None


def _slug(name: str) -> str:
    """The nearest name of the right form."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower()
    plain = re.sub(r"[^a-z0-9]+", "-", words).strip("-").removeprefix(PREFIX)
    return re.sub(r"^[0-9-]+", "", plain)


def _imports(package: str, kinds: Sequence[Kind]) -> str:
    lines = [f"from {package}.{kind.module} import {kind.sample}\n" for kind in kinds]
    return "".join(sorted(lines))


def _hooks(kinds: Sequence[Kind]) -> str:
    return "\n\n".join(
        "\n@hookimpl\n"
        f"def {kind.hook}(context: PluginContext) -> list[{kind.sample}]:\n"
        f"    return [{kind.sample}(context)]"
        for kind in kinds
    )


def _template(name: str) -> Template:
    return Template((files(__package__) / "templates" / f"{name}.txt").read_text("utf-8"))
