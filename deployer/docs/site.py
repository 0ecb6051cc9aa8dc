"""The pages: an index with the lineage and the latest runs, and a page for each object of sql/."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from deployer.check.header import ROLES, fields
from deployer.docs.graph import svg
from deployer.source import Name, SqlObject
from deployer.source.references import Role

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; color: #222; }
table { border-collapse: collapse; } th, td { padding: .2rem .8rem .2rem 0; text-align: left; vertical-align: top; }
th { border-bottom: 1px solid #999; } pre { background: #f5f5f2; padding: 1rem; overflow-x: auto; }
.graph { overflow-x: auto; } svg text { font: 12px ui-monospace, monospace; } svg path { fill: none; stroke: #999; }
rect { fill: #e8eef7; stroke: #6b86ad; } rect.procedure { fill: #fdf3dc; stroke: #b8935a; }
rect.view { fill: #e6f4ea; stroke: #6ba37d; }
"""


@dataclass(frozen=True, slots=True)
class Runs:
    """The ledger as a table; without rows, `note` says why."""

    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""

    def of(self, transfer: str) -> Runs:
        at = self.headings.index("transfer")
        return Runs(self.headings, [row for row in self.rows if row[at] == transfer], "No run of it.")


def write_site(
    folder: Path, title: str, objects: Mapping[Name, SqlObject], transfers: Iterable[str], runs: Runs
) -> int:
    """Writes the site into the folder and returns the number of its pages; other files there stay as they are."""
    site = Site(objects, tuple(transfers), runs)
    folder.mkdir(parents=True, exist_ok=True)
    pages = {"index": site.index(title)} | {str(name): site.page(made) for name, made in objects.items()}
    for name, content in pages.items():
        (folder / f"{name}.html").write_text(content, encoding="utf-8")
    return len(pages)


class Site:
    def __init__(self, objects: Mapping[Name, SqlObject], transfers: tuple[str, ...], runs: Runs) -> None:
        self._objects = {str(name): made for name, made in objects.items()}
        self._transfers = transfers
        self._runs = runs
        self._roles = {name: dict(self._roles_of(made)) for name, made in self._objects.items()}

    def _roles_of(self, made: SqlObject) -> Iterator[tuple[str, tuple[str, ...]]]:
        """What it reads, writes and calls: its header says so, and `deployer check` sees to it that it is true."""
        said = {field.name: field.names for field in fields(made.text)}
        for role in ROLES:
            yield role, tuple(sorted(name for name in said.get(role, ()) if name in self._objects))

    def _sources(self) -> dict[str, set[str]]:
        """The arrows of the picture: what it reads into an object, from it to what it writes."""
        sources: dict[str, set[str]] = {name: set(roles["reads"]) - {name} for name, roles in self._roles.items()}
        for name, roles in self._roles.items():
            for written in roles["writes"]:
                sources[written].add(name)
        drawn = {name for name, found in sources.items() if found} | set().union(*sources.values(), set())
        return {name: found for name, found in sources.items() if name in drawn}

    def index(self, title: str) -> str:
        kinds = {name: made.kind for name, made in self._objects.items()}
        listed = [
            (self._link(name), escape(made.kind.lower()), escape(_summary(made.text)))
            for name, made in sorted(self._objects.items())
        ]
        return _page(
            title,
            f'<h2>Lineage</h2><div class="graph">{svg(self._sources(), kinds)}</div>',
            f"<h2>Objects</h2>{_table(('object', 'kind', 'what it is'), listed)}",
            f"<h2>Runs</h2>{_runs(self._runs)}",
        )

    def page(self, made: SqlObject) -> str:
        name = str(made.name)
        rows = [(role, self._links(self._roles[name][role])) for role in ROLES]
        for role, word in zip(ROLES, ("read by", "written by", "called by"), strict=True):
            rows.append((word, self._links(other for other in self._roles if name in self._roles[other][role])))
        used = {str(Name(each.dataset, each.name)) for each in made.references if each.role is not Role.DEFINE}
        shown = {other for role in ROLES for other in self._roles[name][role]}
        rows.append(("uses", self._links(used & set(self._objects) - shown - {name})))
        parts = [f"<p>{escape(made.kind.lower())}; {escape(_summary(made.text))}</p>"]
        parts.append(_table((), [(word, links) for word, links in rows if links]))
        transfer = next((each for each in self._transfers if made.name.name.startswith(f"{each}_")), None)
        if transfer is not None:
            parts.append(f"<h2>Runs of {escape(transfer)}</h2>{_runs(self._runs.of(transfer))}")
        parts.append(f"<h2>Definition</h2><pre>{escape(made.text)}</pre>")
        return _page(name, '<p><a href="index.html">all objects</a></p>', *parts)

    def _link(self, name: str) -> str:
        return f'<a href="{escape(name)}.html">{escape(name)}</a>'

    def _links(self, names: Iterable[str]) -> str:
        return ", ".join(self._link(name) for name in sorted(names))


def _summary(text: str) -> str:
    """The sentences of the header, after its name and before its fields."""
    sentences = []
    for line in text.split("\n")[1:]:
        if not line.startswith("-- ") or line.startswith("-- test"):
            break
        sentences.append(line.removeprefix("-- ").strip())
    return " ".join(sentences)


def _runs(runs: Runs) -> str:
    if not runs.rows:
        return f"<p>{escape(runs.note)}</p>"
    return _table(tuple(map(escape, runs.headings)), [tuple(map(escape, row)) for row in runs.rows])


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Of cells that are HTML."""
    head = f"<tr>{''.join(f'<th>{cell}</th>' for cell in headings)}</tr>" if headings else ""
    body = "\n".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table>{head}\n{body}</table>"


def _page(title: str, *parts: str) -> str:
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{STYLE}</style>'
    body = "\n".join(parts)
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head><body><h1>{escape(title)}</h1>\n{body}\n</body></html>\n'
    )
