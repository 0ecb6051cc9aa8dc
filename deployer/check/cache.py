"""What the last check of a tree found, by content: a file is looked at again when it, or what it needs, has changed."""

from __future__ import annotations

import hashlib
import os
import pickle
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from deployer.check.outlines import Analysed, Outline


def cache_folder() -> Path:
    """The folder of this user for what can be made again."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "sid-publisher-job"


def write_whole(file: Path, content: bytes | bytearray) -> None:
    """Whole or not at all: raises OSError."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, made = tempfile.mkstemp(dir=file.parent)
    with os.fdopen(handle, "wb") as stream:
        stream.write(content)
    os.replace(made, file)


def digest(*parts: object) -> str:
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()


def code_digest() -> str:
    """Of the code of the check: what other code found says nothing."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    return digest(*(file.read_text(encoding="utf-8") for file in files))


@dataclass(slots=True)
class Cache:
    """`outlines` by the digest of a file's path and text, `analysed` by that of all that it depends on."""

    code: str
    outlines: dict[str, Outline] = field(default_factory=dict)
    analysed: dict[str, Analysed] = field(default_factory=dict)

    @classmethod
    def load(cls, root: Path) -> Cache:
        """Empty when there is none, or none of this code."""
        code = code_digest()
        with suppress(Exception):  # whatever is wrong with the file, it is made anew
            found = pickle.loads(_file(root).read_bytes())
            if isinstance(found, cls) and found.code == code:
                return found
        return cls(code)

    def save(self, root: Path) -> None:
        """A folder that cannot be written only costs the next check its time."""
        with suppress(OSError):
            write_whole(_file(root), pickle.dumps(self, pickle.HIGHEST_PROTOCOL))


def _file(root: Path) -> Path:
    return cache_folder() / f"check-{digest(root.resolve())[:16]}.pickle"


def dependency_digests(outlines: Mapping[str, Outline], own: Mapping[PurePath, str]) -> dict[PurePath, str]:
    """Of each file with all that its analysis depends on; `own` are the digests of the files by themselves."""
    spelt = {name.lower(): outline for name, outline in outlines.items()}
    names = digest(*sorted(outlines))
    made: dict[str, str] = {}

    def shape(name: str, around: frozenset[str]) -> str:
        """Of what the object looks like to those who use it."""
        outline = spelt.get(name)
        if outline is None or name in around:
            return f"missing {names}"  # which names are near it depends on all there are
        if name not in made:
            if outline.definition is not None:
                made[name] = digest(outline.name, outline.kind, outline.definition)
            else:
                needs = (shape(need, around | {name}) for need in sorted(map(str.lower, outline.needs)))
                made[name] = digest(own[outline.path], *needs)
        return made[name]

    return {
        outline.path: digest(
            own[outline.path], *(shape(need, frozenset()) for need in sorted(map(str.lower, outline.needs)))
        )
        for outline in outlines.values()
    }
