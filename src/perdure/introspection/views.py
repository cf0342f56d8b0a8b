"""A connection that reads a partition file and has the documented tables."""

from collections.abc import Callable, Iterable
from importlib import resources
from pathlib import Path
from typing import Any, Final

import apsw
import apsw.ext

from perdure.introspection import catalog, functions

_SERVICE: Final = "name, revision, public, ty, deployment_id"
_COLUMN: Final = (
    "table_catalog, table_schema, table_name, column_name, ordinal_position, column_default, is_nullable, data_type"
)


def open_views(path: Path, surroundings: functions.Surroundings) -> apsw.Connection:
    """Raises: apsw.Error when the file cannot be opened."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)

    def services() -> Iterable[tuple[Any, ...]]:
        for service in surroundings.registry.services.values():
            yield service.name, service.revision, int(service.public), str(service.kind), service.deployment_id

    functions.register(connection, surroundings)
    apsw.ext.make_virtual_module(connection, "registered_service", _table(_SERVICE, services))
    tables = _table("table_catalog, table_schema, table_name, table_type", catalog.list_tables)
    apsw.ext.make_virtual_module(connection, "catalog_table", tables)
    apsw.ext.make_virtual_module(connection, "catalog_column", _table(_COLUMN, catalog.list_columns))
    connection.execute(resources.files("perdure.introspection").joinpath("views.sql").read_text())
    connection.execute("PRAGMA case_sensitive_like = ON; PRAGMA query_only = ON").fetchall()
    return connection


def _table(columns: str, rows: Callable[[], Iterable[tuple[Any, ...]]]) -> Any:
    """A function as `apsw.ext.make_virtual_module` wants it."""

    def read() -> Iterable[tuple[Any, ...]]:
        return rows()

    described: Any = read
    described.columns = tuple(columns.split(", "))
    described.column_access = apsw.ext.VTColumnAccess.By_Index
    return described
