"""What stands inside OVER ( ): named windows, partitions, order and frames."""

from __future__ import annotations

from embedded_bigquery.errors import InvalidQuery
from embedded_bigquery.sql import nodes
from embedded_bigquery.sql.expressions import Expressions
from embedded_bigquery.sql.scope import Lowered, Scope
from embedded_bigquery.types import INT64

NUMBERING = ("ROW_NUMBER", "RANK", "DENSE_RANK", "PERCENT_RANK", "CUME_DIST", "NTILE", "LAG", "LEAD")


def _check_window(name: str, node: nodes.Call, window: nodes.Window) -> None:
    """Raises InvalidQuery for a window that the function cannot stand over."""
    shown = name.lower()
    if name in NUMBERING and window.frame is not None:
        raise InvalidQuery(f"Window framing clause is not allowed for analytic function {shown}", at=node.at)
    if name in NUMBERING and name != "ROW_NUMBER" and not window.order:
        raise InvalidQuery(f"Window ORDER BY is required for analytic function {shown}", at=node.at)
    if node.distinct and window.order:
        raise InvalidQuery("Window ORDER BY is not allowed if DISTINCT is specified", at=node.at)


def window_text(lower: Expressions, node: nodes.Call, scope: Scope) -> str:
    """What stands inside the OVER ( ) of a call; raises InvalidQuery."""
    assert node.over is not None
    resolved = resolved_window(node.over, scope)
    _check_window(".".join(node.path).upper(), node, resolved)
    parts = []
    if resolved.partition:
        keys = [_partition_key(lower.expression(key, scope), key) for key in resolved.partition]
        parts.append(f"PARTITION BY {', '.join(keys)}")
    frame = resolved.frame
    if resolved.order:
        is_range = frame is not None and frame.unit == "RANGE" and _has_distance(frame)
        parts.append(
            f"ORDER BY {_range_order(lower, resolved, scope) if is_range else lower.order_by(resolved.order, scope)}"
        )
    if frame is not None:
        parts.append(_frame(lower, frame, scope))
    return " ".join(parts)


def resolved_window(window: nodes.Window, scope: Scope) -> nodes.Window:
    """The window with what the named one adds that it refines; raises InvalidQuery."""
    if not window.base:
        return window
    base = next((found for s in scope.ancestors() if (found := s.windows.get(window.base.lower())) is not None), None)
    if base is None:
        raise InvalidQuery(f"Unrecognized window alias {window.base}", at=window.at)
    inner = resolved_window(base, scope)
    if window.partition or (window.order and inner.order) or (inner.frame and (window.order or window.frame)):
        raise InvalidQuery(f"Window {window.base} cannot be refined in this way", at=window.at)
    return nodes.Window(window.at, "", inner.partition, inner.order or window.order, inner.frame or window.frame)


def _partition_key(value: Lowered, node: nodes.Node) -> str:
    kind = value.type
    if kind is not None and (kind.is_array or kind.kind in ("JSON", "GEOGRAPHY")):
        raise InvalidQuery(f"Partitioning by expressions of type {kind} is not allowed", at=node.at)
    return value.sql


def _has_distance(frame: nodes.Frame) -> bool:
    return any(side is not None and side[1] is not None for side in (frame.start, frame.end))


def _range_order(lower: Expressions, window: nodes.Window, scope: Scope) -> str:
    """RANGE with a distance takes one key alone: what NaN would be ordered by has no place."""
    if len(window.order) != 1:
        raise InvalidQuery("Window frame of RANGE with a distance needs one ORDER BY key", at=window.at)
    item = window.order[0]
    nulls = "FIRST" if item.nulls_first else "LAST"
    value = lower.expression(item.value, scope)
    # Key and distance add up beyond INT64.
    text = f"CAST({value.sql} AS HUGEINT)" if value.type == INT64 else value.sql
    return f"{text} {'DESC' if item.descending else 'ASC'} NULLS {nulls}"


def _frame(lower: Expressions, frame: nodes.Frame, scope: Scope) -> str:
    def side(given: tuple[str, nodes.Node | None]) -> str:
        word, distance = given
        if word == "CURRENT ROW":
            return word
        return f"{'UNBOUNDED' if distance is None else lower.expression(distance, scope).sql} {word}"

    end = "CURRENT ROW" if frame.end is None else side(frame.end)
    return f"{frame.unit} BETWEEN {side(frame.start)} AND {end}"
