"""Whatever stands in the YAML files, `check` finds something to say and never stumbles."""

from __future__ import annotations

from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gae_pusher.deploy.changes import changes_against
from gae_pusher.deploy.check import Project, check_project
from gae_pusher.deploy.check.app_schema import APP_YAML
from gae_pusher.deploy.check.config_schemas import CONFIG_SCHEMAS
from gae_pusher.deploy.check.schema import Kind
from gae_pusher.deploy.check.yaml_source import parse
from tests.deploy.check.test_rules import TODAY

SCALARS = st.sampled_from(
    [None, True, 5, -1, 1.5, "", "x", "/x", "*/x", "(", "../x", "5/s", "every 5 minutes", "auto"]
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(SCALARS, inner, max_size=2),
    max_leaves=4,
)


def values(kind: Kind) -> st.SearchStrategy[Any]:
    """Values that are often of a kind, and often are not."""
    if kind.section is not None:
        known = {key: values(entry) for key, entry in kind.section.items()}
        return st.fixed_dictionaries({}, optional=known | {"unknown": ANYTHING}) | ANYTHING
    if kind.entry is not None:
        inner = values(kind.entry)
        return st.lists(inner, max_size=2) | st.dictionaries(SCALARS, inner, max_size=2) | ANYTHING
    return (st.sampled_from(sorted(kind.choices)) if kind.choices else SCALARS) | ANYTHING


FILES = {name: values(kind) for name, kind in {"app.yaml": APP_YAML, **CONFIG_SCHEMAS}.items()}


@settings(max_examples=100, deadline=None)
@given(st.fixed_dictionaries(FILES))
def test_no_value_is_too_strange(values: dict[str, Any]) -> None:
    """Every rule, and the comparison with what serves, takes any value at any place."""
    documents = {name: parse(yaml.safe_dump(value), name) for name, value in values.items()}
    texts = dict.fromkeys([*documents, "main.py", "requirements.txt"], "")
    project = Project(documents, texts, dict.fromkeys(texts, 1), frozenset(texts))
    assert all(finding.message for finding in check_project(project, TODAY))
    assert all(changes_against({"handlers": [{}], "envVariables": {"A": "1"}}, project.app))
