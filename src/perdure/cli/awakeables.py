"""`perdure awakeables`: the answers that handlers wait for."""

import json
from typing import Annotated, Any
from urllib.parse import quote

import typer

from perdure.cli.admin_client import AdminClient
from perdure.cli.failures import BadUsage
from perdure.cli.nouns import noun, verb
from perdure.cli.options import DEFAULT_ADMIN_URL, AdminUrl, AsJson
from perdure.cli.output import write_json, write_line

Id = Annotated[str, typer.Argument(metavar="ID", help="The awakeable's id, `sign_1…`.")]


def register(app: typer.Typer) -> None:
    group = noun(app, ("awakeables", "awakeable"), "Answer handlers that wait for somebody.")
    verb(group, ("resolve",), resolve)
    verb(group, ("reject",), reject)


def resolve(
    id: Id,
    value: Annotated[str, typer.Argument(metavar="VALUE", help="What the handler gets, as JSON.")] = "null",
    as_json: AsJson = False,
    admin: AdminUrl = DEFAULT_ADMIN_URL,
) -> None:
    """Give the handler the value that it waits for. The first answer counts; a later one changes nothing."""
    try:
        document = json.loads(value)
    except ValueError:
        example = f"perdure awakeables resolve {id} '{json.dumps(value, ensure_ascii=False)}'"
        raise BadUsage(f"the value is not JSON; a text has quotation marks: {example}") from None
    _complete(admin, id, "resolve", {"value": document}, as_json)


def reject(
    id: Id,
    message: Annotated[str, typer.Argument(metavar="MESSAGE", help="Of the failure that the handler gets.")],
    as_json: AsJson = False,
    admin: AdminUrl = DEFAULT_ADMIN_URL,
) -> None:
    """Give the handler a failure with code 500. The first answer counts; a later one changes nothing."""
    _complete(admin, id, "reject", {"message": message}, as_json)


def _complete(admin: str, id: str, route: str, body: dict[str, Any], as_json: bool) -> None:
    AdminClient(admin).post(f"/awakeables/{quote(id, safe='')}/{route}", body)
    if as_json:
        write_json({"id": id, "effect": "accepted"})
    else:
        write_line(f"{id}  accepted")
