"""Schemathesis over the served document: what it asked, what it was told, what it found."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import hypothesis
import schemathesis
from schemathesis import AuthContext, Case, GenerationMode, HookContext, Response
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from schemathesis.engine.recorder import ScenarioRecorder
from schemathesis.generation.stateful.state_machine import StepInput, StepOutput, Transition
from schemathesis.schemas import BaseSchema

from nullspend_margins.domain.mapping_changes import Wanted
from nullspend_margins.errors import Conflict, NotFound
from nullspend_margins.web.guard import INGEST_KEY_HEADER
from nullspend_margins.web.routes import ROUTES
from tests.openapi.exemptions import (
    ANY_CREDENTIALS,
    COST_EVENTS,
    existing_provider,
    is_no_exemption,
    operation_id,
    required_alone,
    right_credential,
    with_integers,
)
from tests.openapi.served import Served, seed
from tests.world import KEY, ORG

PHASES = ("examples", "coverage", "fuzzing")
# Not one of them: schemathesis' own run of it ends, without a word, where what an org holds has
# changed since. Every walk has an org of its own.
_WALKING = "stateful"
_ROUNDS = 20

_CONNECTS = frozenset({"connectStripe", "connectProvider"})
_NEED_SOMETHING = frozenset(
    {
        "getCustomerMargin",
        "explainCustomerMargin",
        "disconnectStripe",
        "replaceStripeCredential",
        "syncStripe",
        "disconnectProvider",
        "replaceProviderCredential",
        "syncProvider",
    }
)
_OPERATIONS = {f"{route.method} {route.template}": route.operation_id for route in ROUTES}


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks. ``role`` none: nobody is signed in; ``ingest`` sends the org's cost-event key."""

    role: str | None = None
    org: str = ORG
    ingest: bool = False
    bearer: str | None = None

    def credentials(self, served: Served) -> dict[str, dict[str, str]]:
        """What to send, by the document's security schemes."""
        found = {}
        if self.role is not None:
            found["session"] = {"api_key": served.session(self.role, self.org)}
        if self.ingest:
            found["ingestKey"] = {"api_key": served.run(served.here.ingest_key(self.org))}
        if self.bearer is not None:
            found["cronSecret"] = {"bearer": self.bearer}
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How much to ask, from ``seed`` on: ``examples`` of an operation, or walks of a round.

    ``operations`` are all, when none is named.
    """

    examples: int
    seed: int = 1
    phases: Collection[str] = PHASES
    operations: Collection[str] = ()


@dataclass(slots=True)
class Report:
    """``statuses`` by operation id; ``links`` that were followed, by their answers' statuses."""

    problems: dict[str, str] = field(default_factory=dict)
    statuses: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    links: Counter[tuple[str, int]] = field(default_factory=Counter)

    def succeeded(self) -> set[str]:
        """The operations that were answered with 2xx at least once."""
        return {
            name
            for name, statuses in self.statuses.items()
            if any(200 <= status < 300 for status in statuses)
        }

    def followed(self) -> set[str]:
        """The links that led to a 2xx, as ``operation.link``."""
        return {name for name, status in self.links if 200 <= status < 300}

    def add(self, recorder: ScenarioRecorder) -> None:
        """Take in what one scenario asked and found."""
        for case_id, interaction in recorder.interactions.items():
            node, answer = recorder.cases[case_id], interaction.response
            if answer is None:
                self.problems[f"no answer: {node.value.operation.label}"] = str(interaction.request)
                continue
            self.statuses[operation_id(node.value)][answer.status_code] += 1
        for case_id, checks in recorder.checks.items():
            for check in checks:
                if check.failure_info is not None:
                    failure = check.failure_info.failure
                    answer = recorder.interactions[failure.case_id or case_id].response
                    told = f"{failure.message}\n{check.failure_info.code_sample}\n"
                    told += answer.text if answer is not None else "no answer"
                    self.problems.setdefault(
                        f"{check.name}: {failure.operation}: {failure.title}", told
                    )


def examine(served: Served, caller: Caller, effort: Effort) -> Report:
    """Ask operation by operation, with every check there is."""
    schema = _schema(served, caller, effort)
    schema.hook("after_call")(_restoring(served, caller.org))
    report = Report()
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            report.add(event.recorder)
        elif isinstance(event, events.NonFatalError):
            report.problems[f"{event.phase}: {event.label}"] = str(event.value)
        elif isinstance(event, events.FatalError):
            raise event.exception
    return report


def walk(served: Served, effort: Effort, links: Collection[str], *, seeded: bool) -> Report:
    """Go from operation to operation by the document's links; each walk in an org of its own.

    What the links do not name is left out, or what there is. Raises what the checks find. Which
    links a round of walks goes by is luck, and hangs on the modules that are loaded too, as
    Hypothesis draws from their constants: rounds are made until each of ``links`` has led to a
    2xx, and no more than 20.
    """
    schema, report = _schema(served, Caller(), replace(effort, phases=(_WALKING,))), Report()
    schema.config.generation.update(modes=[GenerationMode.POSITIVE])
    schema.hook("map_query")(required_alone)
    schema.hook("map_path_parameters")(existing_provider)
    schema.hook("map_body").apply_to(operation_id=list(ANY_CREDENTIALS))(right_credential)
    walker = _Walker(served)
    schema.auth(refresh_interval=None)(walker.provider())
    machine: Any = schema.as_state_machine()

    class Walk(machine):  # type: ignore[misc]
        def setup(self) -> None:
            walker.begin(seeded=seeded)

        def step(self, input: StepInput) -> StepOutput:  # noqa: A002 - schemathesis' own name
            output: StepOutput = super().step(input)
            status = output.response.status_code
            report.statuses[operation_id(input.case)][status] += 1
            if input.transition is not None and input.is_applied:
                report.links[_link(input.transition), status] += 1
            return output

    for number in range(effort.seed, effort.seed + _ROUNDS):
        if report.followed() >= set(links):
            break
        hypothesis.seed(number)(Walk).run(settings=_round_of(effort.examples))
    return report


def _round_of(walks: int) -> hypothesis.settings:
    return hypothesis.settings(
        max_examples=walks,
        stateful_step_count=8,
        database=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )


@dataclass(slots=True)
class _Walker:
    """The owner of whatever org the current walk is in."""

    served: Served
    walks: int = 0
    cookie: str = ""
    key: str = ""

    def begin(self, *, seeded: bool) -> None:
        self.walks += 1
        org, here = f"org_walk_{self.walks}", self.served.here
        if seeded:
            self.served.run(seed(here, org))
        self.cookie = self.served.session("owner", org)
        self.key = self.served.run(here.ingest_key(org))

    def provider(self) -> type:
        """A schemathesis auth provider: a class that it makes an instance of."""
        walker, name = self, self.served.here.margins.config.session.cookie_name

        class Credentials:
            def get(self, _case: Case, _context: AuthContext) -> _Walker:
                return walker

            def set(self, case: Case, data: _Walker, _context: AuthContext) -> None:
                case.cookies[name] = data.cookie
                case.headers[INGEST_KEY_HEADER] = data.key

        return Credentials


def _schema(served: Served, caller: Caller, effort: Effort) -> BaseSchema:
    settings: dict[str, Any] = {
        "seed": effort.seed,
        "base-url": served.url,
        "continue-on-failure": True,
        "output": {"sanitization": {"enabled": False}},
        "generation": {
            "max-examples": effort.examples,
            "no-shrink": True,
            "database": "none",
            "with-security-parameters": False,
        },
        "phases": {name: {"enabled": name in effort.phases} for name in (*PHASES, _WALKING)},
    }
    if credentials := caller.credentials(served):
        settings["auth"] = {"openapi": credentials}
    schema = schemathesis.openapi.from_url(
        f"{served.url}/api/openapi.json", config=SchemathesisConfig.from_dict(settings)
    )
    schema.config.checks.update(included_check_names=["all"])
    schema.hook("filter_failure")(is_no_exemption)
    schema.hook("map_body").apply_to(operation_id=list(COST_EVENTS))(with_integers)
    return schema.include(operation_id=list(effort.operations)) if effort.operations else schema


def _link(transition: Transition) -> str:
    """``operation.link``: schemathesis has ``METHOD /path -> [status] link -> METHOD /path``."""
    source, rest = transition.id.split(" -> [")
    return f"{_OPERATIONS[source]}.{rest.partition('] ')[2].partition(' -> ')[0]}"


def _restoring(served: Served, org: str) -> Callable[[HookContext, Case, Response], None]:
    """A hook that keeps single requests from having nothing to do.

    It connects what was disconnected, and back, and maps a customer again.
    """

    def after_call(_context: HookContext, case: Case, response: Response) -> None:
        operation, status = operation_id(case), response.status_code
        if operation in _CONNECTS and status == 409:
            served.run(_disconnect(served, org))
        elif operation in _NEED_SOMETHING and status in {200, 404}:
            served.run(_restore(served, org))

    return after_call


async def _restore(served: Served, org: str) -> None:
    """A connection, and the mapping of the document's examples."""
    services = await served.here.margins.services()
    if await services.connections.status(org, "stripe") is None:
        await services.connections.connect(org, "stripe", {"stripeKey": KEY})
    with suppress(Conflict):
        await services.mappings.save(org, Wanted("stripe", "cus_abc123", "acme-corp"))


async def _disconnect(served: Served, org: str) -> None:
    connections = (await served.here.margins.services()).connections
    with suppress(NotFound):
        await connections.disconnect(org, "stripe")
