"""A check of sql/: all files of a tree, or some of them against all."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from deployer.check.cache import Cache, dependency_digests, digest, write_whole
from deployer.check.crew import Crew
from deployer.check.findings import Finding
from deployer.check.header import mended
from deployer.check.outlines import Analysed, Outline
from deployer.errors import SourceError, UsageError

FOLDERS = ("tables", "views", "functions", "procedures")
TEST = ".test.sql"
CALL = re.compile(r"^\s*CALL\s+`?(\w+)`?\.`?(\w+)`?", re.IGNORECASE | re.MULTILINE)
TRANSFER = re.compile(r"(?P<name>.+)(?P<step>_cleanse|_publish|_cleanup)")
STEPS = ("_cleanse", "_publish", "_cleanup")


@dataclass(frozen=True, slots=True)
class Report:
    """Of one file; `path` as a user may open it."""

    path: Path
    findings: tuple[Finding, ...]
    unchecked: tuple[Finding, ...]


OnDone = Callable[[int, int], None]  # files that are done, files to do


def check(paths: Sequence[Path], *, fix: bool = False, on_done: OnDone = lambda _done, _all: None) -> list[Report]:
    """Reports of the files at and below the paths. With `fix`, headers are rewritten first. Raises UsageError."""
    reports = []
    wanted: dict[Path, list[Path]] = {}
    for path in paths:
        wanted.setdefault(root_of(path), []).append(path)
    for root, below in wanted.items():
        reports += Tree(root, on_done).check(below, fix=fix)
    return reports


def root_of(path: Path) -> Path:
    """The root of the tree that a file or folder belongs to; raises UsageError."""
    if not path.exists():
        raise UsageError(f"{path}: there is no such file or folder")
    if path.is_file():
        if path.suffix == ".sql" and path.absolute().parent.name in FOLDERS:
            return path.absolute().parents[2]
    elif path.absolute().name in FOLDERS:
        return path.absolute().parents[1]
    elif any((path / folder).is_dir() for folder in FOLDERS):
        return path.absolute().parent
    elif any(next(path.glob(f"*/{folder}/*.sql"), None) for folder in FOLDERS):
        return path.absolute()
    shape = f"<dataset>/{'|'.join(FOLDERS)}/<name>.sql"
    raise UsageError(f"{path}: holds nothing to check; a tree is made of files {shape}")


class Tree:
    """The files of one tree."""

    def __init__(self, root: Path, on_done: OnDone = lambda _done, _all: None) -> None:
        self.root = root
        self._on_done = on_done
        files = sorted(root.rglob("*.sql"))
        self.tests = {file: _read(file) for file in files if file.name.endswith(TEST)}
        read = ((file, _read(file)) for file in files if file not in self.tests)
        self.texts = {PurePath(file.relative_to(root)): text for file, text in read}

    def check(self, below: Iterable[Path], *, fix: bool = False) -> list[Report]:
        """Reports of the files at or below those paths."""
        cache = Cache.load(self.root)
        with Crew(self.texts) as crew:
            outlines = self._outlines(crew, cache)
            if fix and self._fix(outlines.values()):
                return Tree(self.root, self._on_done).check(below)
            analysed = self._analysed(crew, cache, outlines)
        cache.save(self.root)
        of_tree = self._rules(outlines)
        roots = [path.absolute() for path in below]
        reports = []
        for path, outline in outlines.items():
            file = self.root / path
            if any(file.is_relative_to(root) for root in roots):
                found = {*outline.findings, *analysed[path].findings, *of_tree.get(path, ())}
                reports.append(Report(_shown(file), tuple(sorted(found)), analysed[path].unchecked))
        return reports

    def _outlines(self, crew: Crew, cache: Cache) -> dict[PurePath, Outline]:
        self._own = {path: digest(path, text) for path, text in self.texts.items()}
        missing = [path for path in self.texts if self._own[path] not in cache.outlines]
        made = {outline.path: outline for outline in crew.outlines(missing)}
        found = {path: made[path] if path in made else cache.outlines[self._own[path]] for path in self.texts}
        cache.outlines = {self._own[path]: outline for path, outline in found.items()}
        return found

    def _analysed(self, crew: Crew, cache: Cache, outlines: Mapping[PurePath, Outline]) -> dict[PurePath, Analysed]:
        by_name = {".".join(outline.name): outline for outline in outlines.values()}
        keys = dependency_digests(by_name, self._own)
        found = {path: cache.analysed[key] for path, key in keys.items() if key in cache.analysed}
        todo = [path for path in keys if path not in found]
        self._on_done(len(found), len(keys))
        for done in crew.analyse(todo, by_name):
            found[done.path] = done
            self._on_done(len(found), len(keys))
        cache.analysed = {keys[path]: done for path, done in found.items()}
        # A name that two files make is the later one's; the tree's rules say so.
        return {path: found.get(path, Analysed(path, (), ())) for path in outlines}

    def _fix(self, outlines: Iterable[Outline]) -> bool:
        """Rewrites headers that disagree with their bodies; whether there were any."""
        changed = False
        for outline in outlines:
            text = self.texts[outline.path]
            fixed = mended(text, outline.roles)
            if fixed != text:
                write_whole(self.root / outline.path, fixed.encode())
                changed = True
        return changed

    def _rules(self, outlines: Mapping[PurePath, Outline]) -> dict[PurePath, list[Finding]]:
        """What only the tree as a whole decides."""
        found: dict[PurePath, list[Finding]] = {}
        written: dict[str, PurePath] = {}
        for path, outline in outlines.items():
            name = ".".join(outline.name)
            twin = written.setdefault(name.lower(), path)
            if twin != path:
                found.setdefault(path, []).append(Finding(1, 1, "HR01", f"{name} is also created by {twin}"))
        called = {f"{match[1]}.{match[2]}".lower() for text in self.tests.values() for match in CALL.finditer(text)}
        for path in (path for path, outline in outlines.items() if outline.kind == "PROCEDURE"):
            name = ".".join(outlines[path].name)
            if name.lower() not in called:
                message = f"no *{TEST} calls {name}; write {path.with_suffix('')}{TEST}"
                found.setdefault(path, []).append(Finding(1, 1, "HR10", message))
            step = TRANSFER.fullmatch(name)
            steps = [step["name"] + one for one in STEPS] if step is not None else []
            missing = ", ".join(one for one in steps if one.lower() not in written)
            if missing:
                message = f"a transfer has three procedures; missing: {missing}"
                found.setdefault(path, []).append(Finding(1, 1, "HR09", message))
        return found


def _shown(file: Path) -> Path:
    """Below the current folder without it."""
    here = Path.cwd()
    return file.relative_to(here) if file.is_relative_to(here) else file


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise SourceError(f"is not UTF-8: {error.reason} at byte {error.start}", file) from error
    except OSError as error:
        raise SourceError(f"cannot be read: {error.strerror}", file) from error
