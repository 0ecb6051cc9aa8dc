"""The lock of a deployment: taken with its row, renewed while it works, freed with its record."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Self

from deployer.errors import DeployerError
from deployer.sync.deployments import LOCK_SECONDS, Deployment, Entry


class LockLost(DeployerError):
    """The lock ran out before it could be renewed, so another deployment may be at work."""


class Lock:
    """Use it in a `with`: whatever happens, the lock is freed at its end."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self._until = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="lock", daemon=True)

    def begin(self, entries: Sequence[Entry]) -> bool:
        """False when another deployment came between; raises LockHeld."""
        since = time.monotonic()
        try:
            is_begun = self.deployment.begin(entries)
        except DeployerError:
            self._free()  # an answer that was lost may have been a yes, and two that came first have a row each
            raise
        self._until = since + LOCK_SECONDS
        if is_begun:
            self._thread.start()
        return is_begun

    def check(self) -> None:
        """Raises LockLost."""
        if time.monotonic() > self._until:
            raise LockLost(
                "The lock in ops.deploy_locks ran out before it could be renewed; nothing more is begun. "
                "Run `deployer sync` again when the warehouse can be reached."
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()
        if kind is not None:
            self._free()

    def _free(self) -> None:
        with suppress(DeployerError):
            self.deployment.release()

    def _keep(self) -> None:
        while not self._over.wait(LOCK_SECONDS / 3):
            since = time.monotonic()
            with suppress(DeployerError):
                if self.deployment.renew():
                    self._until = since + LOCK_SECONDS
                else:
                    self._until = 0.0
