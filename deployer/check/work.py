"""What one process does of a check: reads files, works out what they make, puts their statements to the analyzer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePath

from deployer.check.analyzer import Analyzer
from deployer.check.bodies import Body
from deployer.check.definitions import Definition, Path, Procedure, Unknown
from deployer.check.files import Parsed, allowed, parse
from deployer.check.findings import Finding
from deployer.check.googlesql import GoogleSql, instance
from deployer.check.names import Names, Warehouse, lower
from deployer.check.outlines import Analysed, Outline


class Work:
    """On the files of one tree, by their paths below its root."""

    def __init__(self, texts: Mapping[PurePath, str]) -> None:
        self._texts = texts
        self._parsed: dict[PurePath, Parsed] = {}
        self._outlines: Mapping[str, Outline] = {}
        self._definitions: dict[Path, Definition] = {}
        self._analysed: dict[PurePath, Analysed] = {}

    @property
    def googlesql(self) -> GoogleSql:
        return instance()

    def parsed(self, path: PurePath) -> Parsed:
        if path not in self._parsed:
            self._parsed[path] = parse(self.googlesql, path, self._texts[path])
        return self._parsed[path]

    def outlines(self, paths: Sequence[PurePath]) -> list[Outline]:
        """What each file makes and refers to, and what can be said of it alone."""
        return [self.parsed(path).outline for path in paths]

    def know(self, outlines: Mapping[str, Outline]) -> None:
        """The outlines of all files, by the names of their objects; to be called before `analyse`."""
        self._outlines = outlines
        self._tables = [name for name, one in outlines.items() if one.kind in ("TABLE", "VIEW")]
        self._routines = [name for name, one in outlines.items() if one.kind in ("FUNCTION", "PROCEDURE")]

    def analyse(self, paths: Sequence[PurePath]) -> list[Analysed]:
        """What the analyzer has to say of each file."""
        outlines = {outline.path: outline for outline in self._outlines.values()}
        wanted = [outlines[path] for path in paths if path in outlines]
        self._define([need for outline in wanted for need in outline.needs])
        self._define([".".join(outline.name) for outline in wanted if outline.kind != "PROCEDURE"], anew=True)
        procedures = [outline for outline in wanted if outline.kind == "PROCEDURE"]
        needed = self._closure([need for outline in procedures for need in outline.needs])
        if procedures:
            analyzer = Analyzer(self.googlesql, {one.name: self._definitions[one.name] for one in needed})
            for outline in procedures:
                self._procedure(outline, analyzer, needed)
            analyzer.close()
        return [self._analysed.get(path, Analysed(path, (), ())) for path in paths]

    def _procedure(self, outline: Outline, analyzer: Analyzer, needed: Iterable[Outline]) -> None:
        parsed = self.parsed(outline.path)
        body = self._body(parsed, analyzer, {one.name: self._definitions[one.name] for one in needed})
        for create in parsed.statements.all("statement_list"):
            block = create.one("body")
            if create.kind == "CreateProcedureStatement" and block is not None:
                assert isinstance(outline.definition, Procedure)
                body.run(outline.definition.parameters, block.parts["statement_list_node"])
        self._keep(parsed, body)

    def _body(self, parsed: Parsed, analyzer: Analyzer, objects: Mapping[Path, Definition]) -> Body:
        return Body(parsed.source, analyzer, Names(Warehouse(objects, self._tables, self._routines)))

    def _keep(self, parsed: Parsed, body: Body) -> None:
        text, path = parsed.source.text, parsed.outline.path
        self._analysed[path] = Analysed(path, tuple(allowed(text, body.findings)), tuple(sorted(set(body.unchecked))))

    # ---- what is not a procedure

    def _closure(self, names: Iterable[str]) -> list[Outline]:
        """The objects of these names, in any case, and those that they need to be defined."""
        spelt = {name.lower(): outline for name, outline in self._outlines.items()}
        found: dict[Path, Outline] = {}
        todo = [name.lower() for name in names]
        while todo:
            outline = spelt.get(todo.pop())
            if outline is not None and outline.name not in found:
                found[outline.name] = outline
                if outline.kind != "PROCEDURE":
                    todo += [need.lower() for need in outline.needs]
        return list(found.values())

    def _define(self, names: Sequence[str], *, anew: bool = False) -> None:
        """Their definitions, in levels: one catalog serves all objects that need only what is defined already.

        `anew` also analyses those of which the text tells the definition.
        """
        own = {name.lower() for name in names}
        waiting = {}
        for outline in self._closure(names):
            name = ".".join(outline.name)
            if outline.definition is not None:
                self._definitions[outline.name] = outline.definition
            if outline.name not in self._definitions or (anew and name.lower() in own):
                if outline.kind == "PROCEDURE":
                    self._definitions[outline.name] = Unknown()
                else:
                    waiting[name.lower()] = outline
        while waiting:
            ready = [one for one in waiting.values() if not any(need.lower() in waiting for need in one.needs)]
            circle = not ready
            ready = ready or list(waiting.values())
            needed = self._closure([need for one in ready for need in one.needs])
            objects = {one.name: self._definitions[one.name] for one in needed if one.name in self._definitions}
            analyzer = Analyzer(self.googlesql, objects)
            for outline in ready:
                del waiting[".".join(outline.name).lower()]
                self._object(outline, analyzer, objects, circle)
            analyzer.close()

    def _object(self, outline: Outline, analyzer: Analyzer, objects: Mapping[Path, Definition], circle: bool) -> None:
        parsed = self.parsed(outline.path)
        body = self._body(parsed, analyzer, objects)
        if circle:
            self._definitions[outline.name] = Unknown()
            body.findings.append(Finding(1, 1, "GS05", "needs itself by way of what it reads, so it cannot be created"))
        else:
            body.run((), parsed.statements)
            made = body.names.made.get(lower(outline.name), Unknown())
            self._definitions.setdefault(outline.name, made)
        self._keep(parsed, body)
