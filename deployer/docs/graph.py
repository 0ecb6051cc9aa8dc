"""The lineage as a picture: each object right of what its rows come from."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from html import escape

WIDTH, HEIGHT, GAP_X, GAP_Y, MARGIN = 250, 26, 70, 12, 10


def columns(sources: Mapping[str, Collection[str]]) -> list[list[str]]:
    """The names from left to right, each right of its sources; of a circle the last arrow points back."""
    depths: dict[str, int] = {}

    def depth(name: str, above: frozenset[str]) -> int:
        if name not in depths:
            before = [depth(each, above | {name}) for each in sorted(sources[name]) if each not in above | {name}]
            depths[name] = 1 + max(before, default=-1)
        return depths[name]

    for name in sorted(sources):
        depth(name, frozenset())
    return [sorted(name for name in depths if depths[name] == at) for at in range(max(depths.values(), default=-1) + 1)]


def svg(sources: Mapping[str, Collection[str]], kinds: Mapping[str, str]) -> str:
    """A picture whose boxes are links to the objects' pages; `sources` has a line for each name."""
    placed = columns(sources)
    places = {
        name: (MARGIN + column * (WIDTH + GAP_X), MARGIN + row * (HEIGHT + GAP_Y))
        for column, names in enumerate(placed)
        for row, name in enumerate(names)
    }
    width = 2 * MARGIN + len(placed) * (WIDTH + GAP_X) - GAP_X
    height = 2 * MARGIN + max(map(len, placed), default=0) * (HEIGHT + GAP_Y) - GAP_Y
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" role="img">']
    for name in sorted(sources):
        for source in sorted(sources[name]):
            parts.append(_arrow(places[source], places[name]))
    for name, (x, y) in sorted(places.items()):
        parts.append(
            f'<a href="{escape(name)}.html"><rect class="{escape(kinds[name].lower())}" x="{x}" y="{y}" width="{WIDTH}"'
            f' height="{HEIGHT}" rx="4"/><text x="{x + 8}" y="{y + 17}">{escape(name)}</text></a>'
        )
    return "\n".join([*parts, "</svg>"])


def _arrow(source: tuple[int, int], target: tuple[int, int]) -> str:
    x1, y1 = source[0] + WIDTH, source[1] + HEIGHT // 2
    x2, y2 = target[0], target[1] + HEIGHT // 2
    bend = GAP_X // 2
    return f'<path d="M{x1},{y1} C{x1 + bend},{y1} {x2 - bend},{y2} {x2},{y2}"/>'
