"""How a backlog grows and goes, drawn: `python -m benchmarks.scale.picture > docs/scale.svg`."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.scale.simulation import OUTAGE_FROM, Scenario, Simulation, simulate

__all__ = ["picture"]

LINES = (
    (Scenario(10_000, 64, 300), "#c2410c"),
    (Scenario(10_000, 64, 300, queues=8), "#a16207"),
    (Scenario(10_000, 96, 300, queues=24), "#15803d"),
)
WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 720, 335, 70, 300, 50
_TEXT = 'font-family="sans-serif" font-size="13" fill="#333"'


def picture() -> str:
    """An SVG of the entries that wait, over time."""
    runs = [(simulate(scenario), colour) for scenario, colour in LINES]
    most = max(count for run, _ in runs for _, count in _waiting(run))
    seconds = max(run.scenario.seconds for run, _ in runs)
    shapes = [_outage(seconds), *_axes(seconds, most)]
    for row, (run, colour) in enumerate(runs):
        shapes += _line(run, colour, seconds, most, row)
    size = f'width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}"'
    body = "\n".join(shapes)
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>\n{_background()}\n{body}\n</svg>'


def _waiting(run: Simulation) -> Sequence[tuple[float, float]]:
    return [(time, count / run.share) for time, count in run.tally.backlog]


def _x(time: float, seconds: float) -> float:
    return LEFT + time / seconds * (WIDTH - LEFT - 20)


def _y(count: float, most: float) -> float:
    return BOTTOM - count / most * (BOTTOM - TOP)


def _background() -> str:
    return f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>'


def _outage(seconds: float) -> str:
    start, end = (_x(OUTAGE_FROM + after, seconds) for after in (0, 300))
    return (
        f'<rect x="{start:.0f}" y="{TOP}" width="{end - start:.0f}" height="{BOTTOM - TOP}" '
        f'fill="#eee"/><text x="{start + 6:.0f}" y="{TOP + 18}" {_TEXT}>no Pusher</text>'
    )


def _axes(seconds: float, most: float) -> list[str]:
    marks = [
        f'<text x="{_x(time, seconds):.0f}" y="{BOTTOM + 20}" text-anchor="middle" {_TEXT}>'
        f"{time // 60} min</text>"
        for time in range(0, int(seconds) + 1, 180)
    ]
    millions = range(int(most / 1e6) + 1)
    return marks + [
        f'<text x="{LEFT - 8}" y="{_y(count * 1e6, most) + 4:.0f}" text-anchor="end" {_TEXT}>'
        f"{count} million</text>"
        for count in millions
    ]


def _line(run: Simulation, colour: str, seconds: float, most: float, row: int) -> list[str]:
    points = " ".join(f"{_x(t, seconds):.1f},{_y(n, most):.1f}" for t, n in _waiting(run))
    words = f"{run.scenario.shards} shards, queues: {run.scenario.queues}"
    return [
        f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>',
        f'<text x="{LEFT + 200 * row}" y="28" {_TEXT.replace("#333", colour)}>{words}</text>',
    ]


if __name__ == "__main__":
    print(picture())
