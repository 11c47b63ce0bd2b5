"""Mistakes in plugins stop the start, and the message guesses which mistake it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nullspend_margins import PluginContext, hookimpl

from .support import Pays, Registers, Tells, Who, install, module, refusal

HOOK = "from nullspend_margins import hookimpl\n@hookimpl\n"


def refused(source: str) -> str:
    """What is said of the module ``acme`` with this source, without its label."""
    return refusal(module("acme", source)).removeprefix("plugin acme (given by the host): ")


def test_an_unknown_hook_has_a_nearest_name() -> None:
    message = refused(HOOK + "def register_authenticator(context): return []")
    assert message == (
        "register_authenticator is marked with hookimpl, but there is no such hook. "
        "Did you mean register_authenticators?"
    )


def test_a_hook_without_its_mark_is_found() -> None:
    message = refused("def register_notifiers(context): return []")
    assert message == "register_notifiers is not marked: put @hookimpl over it"


def test_a_hook_has_one_argument() -> None:
    message = refused(HOOK + "def register_notifiers(ctx): return []")
    assert message == "register_notifiers takes `ctx`; a hook has the one argument `context`"


@pytest.mark.parametrize("arguments", ["context=None", "*, context"])
def test_the_argument_must_be_one_that_is_passed(arguments: str) -> None:
    message = refused(HOOK + f"def register_notifiers({arguments}): return []")
    assert message == (
        "register_notifiers must take `context` as a plain argument without a default"
    )


@pytest.mark.parametrize("body", ["return []", "yield []"])
def test_a_hook_is_not_async(body: str) -> None:
    message = refused(HOOK + f"async def register_notifiers(context): {body}")
    assert message == (
        "register_notifiers is async def; a hook runs once at start and must be a plain def "
        "(the methods of what it returns are async)"
    )


def test_a_hook_does_not_yield() -> None:
    message = refused(HOOK + "def register_notifiers(context): yield 1")
    assert message == "register_notifiers has a yield; return a list instead"


def tell(alert: object) -> None: ...


async def _later() -> list[object]:
    return []


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (
            None,
            "returned None. Is a `return` missing? It must return a list, an empty one for none",
        ),
        (Tells(), "returned a Tells, not a list; did you mean to put it in [ ]?"),
        (Tells, "returned the class Tells; did you mean [Tells()]?"),
        ({"a": 1}, "returned a dict, not a list; did you mean to put it in [ ]?"),
        ([Tells], "Tells is a class; make an instance of it: Tells()"),
        ([None], "None is no notifier; is a `return` missing where it is made?"),
        ([tell], "tell is a function; return an object in its place"),
    ],
)
def test_a_hook_returns_a_list_of_instances(answer: object, message: str) -> None:
    assert refusal(Registers("register_notifiers", answer)) == (
        f"plugin acme (given by the host), register_notifiers: {message}"
    )


def test_a_hook_that_returns_a_coroutine_is_told_so() -> None:
    message = refusal(Registers("register_notifiers", _later()))
    assert message.endswith(
        "returned something to await; it must be a plain def that returns a list"
    )


def test_an_object_that_is_still_to_be_awaited_is_told_so() -> None:
    message = refusal(Registers("register_notifiers", [_later()]))
    assert message.endswith(
        ", register_notifiers: _later() is still to be awaited; a hook can't: make it a plain def"
    )


def test_a_function_in_the_place_of_an_authenticator_is_told_how_to_become_one() -> None:
    message = refusal(Registers("register_authenticators", [tell]))
    assert message.endswith("tell is a function; return CallableAuthenticator(tell) in its place")


def test_a_class_is_no_instance() -> None:
    class Plugin:
        @hookimpl
        def register_notifiers(self, context: PluginContext) -> list[Tells]:
            return [Tells()]

    assert refusal(Plugin) == (
        "plugin Plugin (given by the host): is a class; pass an instance of it: Plugin()"
    )
    assert "is a class; pass an instance of it: Who()" in refusal(Who)


@pytest.mark.parametrize("thing", ["acme.plugin", None, 3, ["a"]])
def test_a_value_is_no_plugin(thing: object) -> None:
    assert f"is {thing!r}, which is no plugin. Pass a module or an object" in refusal(thing)


def test_a_hook_alone_is_no_plugin() -> None:
    hook = module("acme", HOOK + "def register_notifiers(context): return []").register_notifiers
    assert refusal(hook).endswith(
        "is the hook register_notifiers alone; the plugin is the module or the object it is in"
    )


def test_a_function_is_told_how_to_become_an_authenticator() -> None:
    async def current_user(scope: Any) -> None: ...

    assert refusal(current_user).endswith(
        "is a function. To ask it who is signed in, pass CallableAuthenticator(current_user)"
    )


def test_a_module_that_registers_nothing_is_told_so() -> None:
    assert refused("x = 1") == (
        "registers nothing: no function in it is marked with @hookimpl of nullspend_margins"
    )


def test_a_hook_that_is_misspelt_and_unmarked_is_guessed_and_no_import_is() -> None:
    imports = "from nullspend_margins import AuthenticationRequired\n"
    message = refused(imports + "def register_notifier(context): return []")
    assert message.endswith("; it has register_notifier; did you mean register_notifiers?")
    assert refused(imports).endswith("is marked with @hookimpl of nullspend_margins")


def test_a_bare_object_with_a_misspelt_method_is_recognised() -> None:
    class Nearly:
        name = "nearly"

        async def authentcate(self, scope: Any) -> None: ...

    assert refusal(Nearly()).endswith("; it has authentcate; did you mean authenticate?")


def test_a_bare_object_of_two_kinds_has_to_say_which() -> None:
    class Both(Pays):
        async def authenticate(self, scope: Any) -> None: ...

    assert refusal(Both()).endswith(
        "is an authenticator and a plan checker at once. Pass one object for each, "
        "or hooks that return them"
    )


def test_two_objects_of_a_kind_have_two_names() -> None:
    assert refusal(Who("same"), Who("same")) == (
        'plugin same (given by the host): an authenticator called "same" is already there, from '
        "plugin same (given by the host); give it another name, or disable one of the two"
    )
    twice = Registers("register_notifiers", [Tells(), Tells()])
    assert 'a notifier called "tells" is already there' in refusal(twice)


def test_one_object_is_given_once() -> None:
    who = Who()
    assert "is the same object as plugin who (given by the host); keep one of them" in refusal(
        who, who
    )


def test_two_plugins_have_two_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = {"one_mod": HOOK + "def register_notifiers(context): return []"}
    install(tmp_path / "1", "one-plugin", {"acme": "one_mod"}, source, monkeypatch)
    install(tmp_path / "2", "two-plugin", {"acme": "one_mod"}, source, monkeypatch)
    assert refusal() == (
        "plugin acme (two-plugin 1.0): plugin acme (one-plugin 1.0) has the same name. "
        "Uninstall one of them"
    )
    assert 'plugin_name = "..."' in refusal(Registers("register_notifiers", []), disabled=[])


def test_a_bare_object_may_not_be_called_like_an_installed_plugin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert refusal(Who("sessions")) == (
        "plugin sessions (built in): plugin sessions (given by the host) has the same name. "
        "Give the host's another name"
    )


@pytest.mark.parametrize(
    ("target", "source", "message"),
    [
        (
            "gone_mod",
            "",
            (
                "gone_mod cannot be imported: ModuleNotFoundError: No module named 'gone_mod'. "
                "The distribution's entry point names a module that is not in it."
            ),
        ),
        (
            "acme_mod",
            "import not_there",
            (
                "acme_mod cannot be imported: ModuleNotFoundError: No module named 'not_there'. "
                'Is what it needs installed? To start without it: [plugins] disabled = ["acme"]'
            ),
        ),
        (
            "acme_mod:plugin",
            "",
            (
                "acme_mod:plugin cannot be imported: AttributeError: module 'acme_mod' has no "
                "attribute 'plugin'. To start without it: [plugins] disabled = [\"acme\"]"
            ),
        ),
        (
            "acme_mod",
            "raise SystemExit(3)",
            (
                "acme_mod cannot be imported: SystemExit: 3. "
                'To start without it: [plugins] disabled = ["acme"]'
            ),
        ),
    ],
)
def test_an_entry_point_that_cannot_be_imported_names_its_distribution(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str, source: str, message: str
) -> None:
    install(tmp_path, "acme-plugin", {"acme": target}, {"acme_mod": source}, monkeypatch)
    assert refusal() == f"plugin acme (acme-plugin 1.0): {message}"


@pytest.mark.parametrize(
    ("body", "failure"),
    [("return [1 / 0]", "ZeroDivisionError: division by zero"), ("sys.exit(3)", "SystemExit: 3")],
)
def test_a_hook_that_fails_names_plugin_hook_and_distribution(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, failure: str
) -> None:
    source = f"import sys\n{HOOK}def register_notifiers(context): {body}"
    install(tmp_path, "acme-plugin", {"acme": "acme_mod"}, {"acme_mod": source}, monkeypatch)
    assert refusal() == (
        f"plugin acme (acme-plugin 1.0), register_notifiers: failed with {failure}"
    )


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("is too old", "plugin acme (given by the host), register_notifiers: is too old"),
        ("plugins.acme.url: is too old", "plugins.acme.url: is too old"),
    ],
)
def test_what_a_hook_finds_wrong_names_the_plugin_or_its_key(said: str, told: str) -> None:
    raising = f"def register_notifiers(context): raise ConfigurationError({said!r})"
    source = "from nullspend_margins import ConfigurationError\n" + HOOK + raising
    assert refusal(module("acme", source)) == told


def test_all_mistakes_are_told_at_once() -> None:
    message = refusal(object(), module("acme", "x = 1"), Who)
    assert len(message.splitlines()) == 3
