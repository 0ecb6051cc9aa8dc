"""A Docker engine of the tests' own: Debian's dockerd on a socket in a folder, with a base made by debootstrap.

It needs root, dockerd, runc and debootstrap (`apt-get install docker.io debootstrap`). Nothing is pulled: the base is
Debian's python3 under the names that python:3.11-slim-bookworm has, and the wheels come from an index on loopback.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

BASE = "python:3.11-slim-bookworm"
PACKAGES = "python3,python3-venv,python3-pip,ca-certificates"
SYSTEM_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


def missing() -> str:
    """Why no engine can be had here, or nothing."""
    if os.geteuid() != 0:
        return "a Docker engine of our own needs root"
    lacking = [name for name in ("dockerd", "runc", "debootstrap") if not shutil.which(name, path=SYSTEM_PATH)]
    return f"{', '.join(lacking)} missing: apt-get install docker.io debootstrap" if lacking else ""


class Engine:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            **{
                name: value
                for name, value in os.environ.items()
                if not name.startswith(("DOCKER_", "INVOKE_", "PYTHON"))
            },
            "DOCKER_HOST": f"unix://{folder}/docker.sock",
            "DOCKER_BUILDKIT": "1",
            # Debian's client: it has BuildKit in it, others want a plugin.
            "PATH": f"{SYSTEM_PATH}:{os.environ['PATH']}",
        }

    def docker(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = ["docker", *words]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, stdin=subprocess.DEVNULL)

    def asked(self, *words: str) -> str:
        """What docker prints; raises with its own words where it fails."""
        done = self.docker(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@contextmanager
def running(folder: Path) -> Iterator[Engine]:
    words = ["dockerd", "--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-masq=false"]
    words += ["--host", f"unix://{folder}/docker.sock", "--pidfile", f"{folder}/pid", "--storage-driver", "overlay2"]
    words += ["--data-root", f"{folder}/data", "--exec-root", f"{folder}/exec"]
    engine = Engine(folder)
    with (folder / "dockerd.log").open("w") as log:
        daemon = subprocess.Popen(words, env=engine.environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        while engine.docker("version").returncode != 0:
            assert daemon.poll() is None, (folder / "dockerd.log").read_text()[-2000:]
            time.sleep(0.2)
        yield engine
    finally:
        daemon.terminate()
        daemon.wait()


def import_base(engine: Engine) -> None:
    archive = Path.home() / ".cache/sid-publisher-job/base.tar"
    if not archive.exists():
        made = engine.folder / "base.tar"
        make_base(engine, made)
        archive.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(made, archive)
    engine.asked("import", str(archive), BASE)


def make_base(engine: Engine, archive: Path) -> None:
    root = engine.folder / "base"
    words = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", "bookworm", str(root)]
    done = subprocess.run(words, env=engine.environment, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout[-2000:]
    for name in ("python", "pip"):
        (root / "usr/local/bin" / name).symlink_to(f"/usr/bin/{name}3")
    words = ["tar", "--create", "--file", str(archive), "--directory", str(root), "--exclude=./proc/*"]
    words += [
        "--exclude=./sys/*",
        "--exclude=./dev/*",
        "--exclude=./var/cache/apt/*",
        "--exclude=./var/lib/apt/lists/*",
    ]
    subprocess.run([*words, "."], check=True)
    shutil.rmtree(root)


@contextmanager
def index_of_wheels(folder: Path, lock: Path) -> Iterator[Path]:
    """Downloads the locked wheels, serves them on loopback, and yields the pip.conf that names that index alone."""
    wheels = folder / "wheels"
    words = [
        "download",
        "--quiet",
        "--quiet",
        "--no-deps",
        "--require-hashes",
        "--only-binary",
        ":all:",
        "--dest",
        str(wheels),
    ]
    subprocess.run([sys.executable, "-m", "pip", *words, "--requirement", str(lock)], check=True)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(wheels)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    file = folder / "pip.conf"
    address = f"http://127.0.0.1:{server.server_port}/"
    file.write_text(f"[global]\nno-index = true\nfind-links = {address}\ntrusted-host = 127.0.0.1\n")
    yield file
    server.shutdown()
    server.server_close()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        """A test's output is its failures."""
