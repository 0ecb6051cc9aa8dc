"""Google's reference implementation of GoogleSQL, asked for the rows and the column types of a query."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from zetasql import types as google
from zetasql.core import ZetaSqlLocalService, wasm_client
from zetasql.core.exceptions import ServerError

from tests.conftest import Compiled

NAMES = {
    google.TypeKind.TYPE_INT64: "INT64",
    google.TypeKind.TYPE_DOUBLE: "FLOAT64",
    google.TypeKind.TYPE_BOOL: "BOOL",
    google.TypeKind.TYPE_STRING: "STRING",
    google.TypeKind.TYPE_BYTES: "BYTES",
    google.TypeKind.TYPE_DATE: "DATE",
    google.TypeKind.TYPE_DATETIME: "DATETIME",
    google.TypeKind.TYPE_TIME: "TIME",
    google.TypeKind.TYPE_TIMESTAMP: "TIMESTAMP",
    google.TypeKind.TYPE_NUMERIC: "NUMERIC",
    google.TypeKind.TYPE_BIGNUMERIC: "BIGNUMERIC",
    google.TypeKind.TYPE_INTERVAL: "INTERVAL",
    google.TypeKind.TYPE_JSON: "JSON",
}


class Refused(Exception):
    """The reference gives an error, not rows."""


class Crashed(Exception):
    """The reference itself broke down: nothing is known of the query."""


class Reference:
    """One instance of the analyzer and evaluator; some 30 ms a query."""

    def __init__(self) -> None:
        wasm_client.Module = Compiled
        language = google.LanguageOptions.maximum_features()
        language.reserved_keywords.append("QUALIFY")
        language.product_mode = google.ProductMode.PRODUCT_EXTERNAL
        self._options = google.AnalyzerOptions(language_options=language, default_timezone="UTC")
        functions = google.ZetaSQLBuiltinFunctionOptions(language_options=language)
        self._catalog = google.SimpleCatalog(name="none", builtin_function_options=functions)
        self._start()

    def _start(self) -> None:
        self._service = ZetaSqlLocalService()
        self._registered = self._service.register_catalog(simple_catalog=self._catalog).registered_id

    def types(self, sql: str) -> list[str]:
        """The columns' types, as SQL writes them; raises Refused, Crashed."""
        answer = self._asked(self._service.analyze, sql_statement=sql)
        return [_text(column.column.type) for column in answer.resolved_statement.output_column_list]

    def texts(self, sql: str) -> list[str | None]:
        """The rows of a query with one column, a STRING; raises Refused, Crashed."""
        table = self._asked(self._service.evaluate_query, sql=sql).content.table_data
        return [row.cell[0].string_value for row in table.row or []] if table else []

    def _asked(self, method: Callable[..., Any], **request: Any) -> Any:
        try:
            return method(options=self._options, registered_catalog_id=self._registered, **request)
        except ServerError as error:
            raise Refused(str(error)) from error
        except Exception as error:
            self._start()
            raise Crashed(str(error)) from error


def _text(found: google.Type) -> str:
    if found.array_type is not None:
        return f"ARRAY<{_text(found.array_type.element_type)}>"
    if found.struct_type is not None:
        fields = (f"{field.field_name or ''} {_text(field.field_type)}".strip() for field in found.struct_type.field)
        return f"STRUCT<{', '.join(fields)}>"
    return NAMES.get(found.type_kind, str(found.type_kind))
