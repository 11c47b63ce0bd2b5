"""The tables of rules in docs/testing-plugins.md, made from the suites.

``python -m tests.testing.tables`` writes them into the page.
"""

from __future__ import annotations

from nullspend_margins import testing
from nullspend_margins.testing.rules import rules_of
from nullspend_margins.testing.suite import PluginSuite
from tests.docs.pages import DOCS

PAGE = DOCS / "testing-plugins.md"
SUITES: dict[str, type] = {
    suite.__name__: suite
    for suite in (
        PluginSuite,
        testing.AuthenticatorSuite,
        testing.PlanCheckerSuite,
        testing.PulledCostSourceSuite,
        testing.AggregatingCostSourceSuite,
        testing.RevenueProviderSuite,
        testing.NotifierSuite,
    )
}


def own_rules(suite: type) -> dict[str, str]:
    """The rules of a suite that not every suite has, each with what it checks."""
    common = {} if suite is PluginSuite else rules_of(PluginSuite)
    return {
        rule: text.partition("\n\n")[0].replace("\n", " ")
        for rule, text in rules_of(suite).items()
        if rule not in common
    }


def table_of(suite: type) -> str:
    """A Markdown table."""
    rows = [f"| `{rule}` | {checks} |" for rule, checks in own_rules(suite).items()]
    return "\n".join(["| rule | checks |", "|---|---|", *rows])


def with_tables(page: str) -> str:
    """The page with every table made anew."""
    for name, suite in SUITES.items():
        begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
        if begin not in page or end not in page:
            raise ValueError(f"there are no markers of {name}")
        before, _, rest = page.partition(begin)
        page = f"{before}{begin}\n{table_of(suite)}\n{end}{rest.partition(end)[2]}"
    return page


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text("utf-8")), "utf-8")
