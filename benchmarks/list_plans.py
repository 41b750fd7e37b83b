"""What plans of lists tell: whether one reads a whole table, and how many rows it looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

Node = Mapping[str, Any]

LARGE: Final = frozenset({"questions", "question_versions", "question_search"})
_NARROWING: Final = (" = ", "@@", "= ANY")


def whole_tables_read(plan: Node) -> list[str]:
    """The scans of a large table that nothing bounds: no equality in the index, no two ends, no limit right above."""
    return [
        f"{node['Node Type']} of {node.get('Relation Name') or node.get('Index Name')}"
        for parent, node in _nodes(plan)
        if _is_large(node) and not _is_bounded(parent, node)
    ]


def rows_read(plan: Node) -> float:
    """Rows of large tables that were looked at, found wanting or not; of a plan that was carried out."""
    return sum(_rows(node) for _, node in _nodes(plan) if node.get("Relation Name") in LARGE)


def _rows(node: Node) -> float:
    removed = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    return float((node["Actual Rows"] + removed) * node["Actual Loops"])


def _is_large(node: Node) -> bool:
    return node.get("Relation Name") in LARGE or str(node.get("Index Name", "")).startswith("question_search")


def _is_bounded(parent: Node, node: Node) -> bool:
    match node["Node Type"]:
        case "Seq Scan" | "Parallel Seq Scan":
            return False
        case "Bitmap Heap Scan":
            return True  # as its index scans are
        case _:
            condition = node.get("Index Cond", "")
            within_limit = parent.get("Node Type") == "Limit" and "Filter" not in node
            return within_limit or _is_range(condition) or any(sign in condition for sign in _NARROWING)


def _is_range(condition: str) -> bool:
    """Both ends are given, and a statement that gives both has counted what lies between them."""
    return ">= " in condition and "<= " in condition


def _nodes(node: Node, parent: Node | None = None) -> Iterator[tuple[Node, Node]]:
    yield parent or {}, node
    # What decides whether its child runs at all passes on whatever bounds it.
    above = parent if node["Node Type"] == "Result" else node
    for child in node.get("Plans", ()):
        yield from _nodes(child, above)
