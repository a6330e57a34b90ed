"""What people, scripts and code hosts get to read."""

from __future__ import annotations

import json

from gae_pusher.deploy.check import CATALOGUE, Finding
from gae_pusher.deploy.check.report import to_json, to_sarif, to_text

FINDINGS = [Finding("app.yaml", 3, "A205", "no maximum"), Finding("x.pem", 0, "U003", "a key")]


def test_text_says_where_what_and_what_to_do() -> None:
    """A finding names its place, its consequence and its fix; the end counts by severity."""
    text = to_text(FINDINGS)
    assert "app.yaml:3: warning A205: " in text
    assert CATALOGUE["A205"].consequence in text
    assert CATALOGUE["A205"].fix in text
    assert "x.pem: error U003: " in text
    assert text.endswith("1 error, 1 warning\n")
    assert "\033" not in text
    assert "\033" in to_text(FINDINGS, colour=True)
    assert "can be deployed" in to_text([])


def test_json_is_one_object_a_finding() -> None:
    """Scripts get every fact of a finding."""
    rows = json.loads(to_json(FINDINGS))
    assert rows[0] | {"fix": "", "consequence": ""} == {
        "code": "A205",
        "severity": "warning",
        "path": "app.yaml",
        "line": 3,
        "message": "no max_instances: no maximum",
        "consequence": "",
        "fix": "",
    }


def test_sarif_refers_to_its_rules() -> None:
    """Each result names a rule of the log; a finding without a line has no region."""
    run = json.loads(to_sarif(FINDINGS))["runs"][0]
    rules = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    assert {result["ruleId"] for result in run["results"]} == rules == {"A205", "U003"}
    places = [r["locations"][0]["physicalLocation"] for r in run["results"]]
    assert places == [
        {"artifactLocation": {"uri": "app.yaml"}, "region": {"startLine": 3}},
        {"artifactLocation": {"uri": "x.pem"}},
    ]
