"""What a dry run tells of a script: whether its statements fit, and what they would read.

It stops where BigQuery's does: after the first definition, CALL or EXECUTE IMMEDIATE, and before what branches.
Source: "Dry-run a multi-statement query", docs.cloud.google.com/bigquery/docs/multi-statement-queries.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from embedded_bigquery.errors import EngineError
from embedded_bigquery.script import nodes
from embedded_bigquery.script.executor import run_statement
from embedded_bigquery.script.names import Names, Parameters
from embedded_bigquery.script.nodes import Node
from embedded_bigquery.script.outcome import Outcome
from embedded_bigquery.script.scope import Frame
from embedded_bigquery.script.session import Session
from embedded_bigquery.script.strict import Checker
from embedded_bigquery.script.syntax import DEFINITIONS
from embedded_bigquery.sql.tokens import Tokens, moved

BRANCHING = (nodes.If, nodes.Case, nodes.Loop, nodes.While, nodes.Repeat, nodes.For)
LEAVING = (nodes.Break, nodes.Continue, nodes.Return, nodes.Raise)


class _Stop(Exception):
    """The dry run is over."""


def dry_run(script: nodes.Script, session: Session, parameters: Parameters, system: Mapping[str, Any]) -> Outcome:
    """Raises EngineError with the place in the script."""
    run = _DryRun(script.text, session, parameters, system)
    with suppress(_Stop):
        run.all(script.statements)
    only = script.statements[0] if len(script.statements) == 1 else None
    kind = "CALL" if isinstance(only, nodes.Call) else "SCRIPT"
    referenced = tuple(dict.fromkeys(path for outcome in run.outcomes for path in outcome.referenced))
    return Outcome(kind, referenced=referenced, bytes_processed=sum(o.bytes_processed for o in run.outcomes))


class _DryRun(Checker):
    def __init__(self, text: str, session: Session, parameters: Parameters, system: Mapping[str, Any]) -> None:
        super().__init__(text, session, Frame())
        self.parameters, self.system = parameters, system
        self.outcomes: list[Outcome] = []

    def names(self) -> Names:
        return Names(self.session, self.frame, self.parameters, self.system)

    def all(self, statements: Sequence[Node]) -> None:
        for statement in statements:
            try:
                self._one(statement)
            except EngineError as error:
                error.at = error.at or self._place(statement.span[0])
                raise

    def _one(self, node: Node) -> None:
        if isinstance(node, BRANCHING + LEAVING):
            raise _Stop
        if isinstance(node, nodes.Block):
            self._nested(node.body)
        elif isinstance(node, nodes.ExecuteImmediate):
            self._value(node.sql)
            raise _Stop
        elif isinstance(node, nodes.Sql | nodes.CreateProcedure):
            self._statement(node)
        else:
            super()._one(node)
            if isinstance(node, nodes.Call):
                raise _Stop

    def _statement(self, node: Node) -> None:
        text = self._slice(node)
        try:
            self.outcomes.append(run_statement(self.session, text, self.names(), dry_run=True))
        except EngineError as error:
            error.at = error.at and moved(error.at, self.text, node.span[0])
            raise
        if Tokens(text).word() in DEFINITIONS:
            raise _Stop
