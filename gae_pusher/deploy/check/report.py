"""Findings as text for a person, JSON for a script, SARIF 2.1.0 for a code host."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from gae_pusher.deploy.check.findings import CATALOGUE, Finding, Severity
from gae_pusher.version import __version__

__all__ = ["to_json", "to_sarif", "to_text"]

_COLOURS: Final = {Severity.ERROR: "31", Severity.WARNING: "33", Severity.NOTE: "36"}
_SARIF_LEVELS: Final = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.NOTE: "note",
}


def to_text(findings: Sequence[Finding], colour: bool = False) -> str:
    """Three lines a finding: what and where, what happens if it stays, what to do."""
    if not findings:
        return "Nothing found: this app can be deployed.\n"
    return "\n".join([*(_paragraph(finding, colour) for finding in findings), _summary(findings)])


def to_json(findings: Sequence[Finding]) -> str:
    """An array of objects, one a finding."""
    return json.dumps([_fields(finding) for finding in findings], indent=2) + "\n"


def to_sarif(findings: Sequence[Finding]) -> str:
    """A SARIF log with every rule that was broken."""
    codes = sorted({finding.code for finding in findings})
    driver = {
        "name": "gae-pusher check",
        "version": __version__,
        "rules": [_sarif_rule(code) for code in codes],
    }
    run = {"tool": {"driver": driver}, "results": [_sarif_result(entry) for entry in findings]}
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [run],
    }
    return json.dumps(log, indent=2) + "\n"


def _paragraph(finding: Finding, colour: bool) -> str:
    rule = finding.rule
    name = rule.severity.name.lower()
    shown = f"\033[{_COLOURS[rule.severity]}m{name}\033[0m" if colour else name
    return (
        f"{_place(finding)}: {shown} {finding.code}: {rule.title}: {finding.message}\n"
        f"    If it stays: {rule.consequence}\n"
        f"    Do: {rule.fix}\n"
    )


def _place(finding: Finding) -> str:
    return f"{finding.path}:{finding.line}" if finding.line else finding.path


def _summary(findings: Sequence[Finding]) -> str:
    counts = [
        (severity, sum(finding.rule.severity is severity for finding in findings))
        for severity in sorted(Severity, reverse=True)
    ]
    return ", ".join(_counted(severity, count) for severity, count in counts if count) + "\n"


def _counted(severity: Severity, count: int) -> str:
    return f"{count} {severity.name.lower()}{'s' if count != 1 else ''}"


def _fields(finding: Finding) -> dict[str, Any]:
    rule = finding.rule
    return {
        "code": finding.code,
        "severity": rule.severity.name.lower(),
        "path": finding.path,
        "line": finding.line,
        "message": f"{rule.title}: {finding.message}",
        "consequence": rule.consequence,
        "fix": rule.fix,
    }


def _sarif_rule(code: str) -> dict[str, Any]:
    rule = CATALOGUE[code]
    return {
        "id": code,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.consequence},
        "help": {"text": rule.fix},
        "defaultConfiguration": {"level": _SARIF_LEVELS[rule.severity]},
    }


def _sarif_result(finding: Finding) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": finding.path}}
    if finding.line:
        place["region"] = {"startLine": finding.line}
    return {
        "ruleId": finding.code,
        "level": _SARIF_LEVELS[finding.rule.severity],
        "message": {"text": f"{finding.rule.title}: {finding.message}"},
        "locations": [{"physicalLocation": place}],
    }
