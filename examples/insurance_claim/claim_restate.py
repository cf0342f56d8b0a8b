"""An insurance claim: read the documents, ask three people, convert the amount, pay.

A claim lives for days, most of them waiting for people. And it meets a bug late: the conversion knows no euros.
The claim then pauses, keeps the three approvals, and goes on from the conversion once the bug is fixed.

    curl localhost:8080/InsuranceClaim/claim-1/run/send --json '{"customer":"Ada","invoices":["repair 1200.50 EUR"]}'
    curl localhost:8080/InsuranceClaim/claim-1/decide --json '{"reviewer":"assessor","approved":true}'
    curl localhost:8080/InsuranceClaim/claim-1/status

README.md, beside this file, goes on from there.
"""

import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Literal, TypedDict

import restate
from restate import InvocationRetryPolicy, TerminalError, Workflow, WorkflowContext, WorkflowSharedContext

REVIEWERS = ("assessor", "manager", "auditor")
RATES_TO_USD = {"USD": 1.0, "GBP": 1.31}  # the bug: the claims are in EUR
RATES_FILE = Path(os.environ.get("CLAIM_RATES_FILE", Path(__file__).with_name("rates.json")))


class Documents(TypedDict):
    """What the customer sends: invoices as lines of `<what> <amount> <currency>`."""

    customer: str
    invoices: list[str]


class Claim(TypedDict):
    """What the documents say."""

    customer: str
    amount: float
    currency: str


class Decision(TypedDict):
    """One reviewer's word."""

    reviewer: Literal["assessor", "manager", "auditor"]
    approved: bool


class Payment(TypedDict):
    """The claim's outcome."""

    customer: str
    amount_usd: float
    reference: str


insurance_claim = Workflow(
    "InsuranceClaim",
    # A bug does not go away by trying for ever: after three attempts the claim waits for a person.
    invocation_retry_policy=InvocationRetryPolicy(
        initial_interval=timedelta(milliseconds=200),
        exponentiation_factor=2.0,
        max_attempts=3,
        on_max_attempts="pause",
    ),
)


@insurance_claim.main()
async def run(ctx: WorkflowContext, documents: Documents) -> Payment:
    """One claim from its documents to the payment; the workflow's key is the claim's number."""
    ctx.set("status", "parsing documents")
    claim = await ctx.run_typed("parse documents", parse_documents, documents=documents)

    for reviewer in REVIEWERS:
        ctx.set("status", f"waiting for the {reviewer}")
        if not await ctx.promise(reviewer, type_hint=bool).value():
            ctx.set("status", f"declined by the {reviewer}")
            raise TerminalError(f"declined by the {reviewer}", status_code=403)

    ctx.set("status", "converting currency")
    amount_usd = await ctx.run_typed("convert currency", convert_to_usd, claim=claim)

    ctx.set("status", "paying")
    # The claim's number makes the payment idempotent on the bank's side, should the step be repeated.
    reference = await ctx.run_typed("reimburse", reimburse, claim_id=ctx.key(), amount_usd=amount_usd)
    ctx.set("status", "paid")
    return Payment(customer=claim["customer"], amount_usd=amount_usd, reference=reference)


@insurance_claim.handler()
async def decide(ctx: WorkflowSharedContext, decision: Decision) -> None:
    """A reviewer's decision; it may come before the claim asks for it, and only the first one counts."""
    if decision["reviewer"] not in REVIEWERS:
        raise TerminalError(f"no such reviewer; one of {', '.join(REVIEWERS)}", status_code=400)
    await ctx.promise(decision["reviewer"], type_hint=bool).resolve(decision["approved"])


@insurance_claim.handler()
async def status(ctx: WorkflowSharedContext) -> str:
    """Where the claim is."""
    return await ctx.get("status", type_hint=str) or "unknown claim"


def parse_documents(documents: Documents) -> Claim:
    """Adds up the invoices."""
    try:
        lines = [line.rsplit(" ", 2) for line in documents["invoices"]]
        amount = sum(float(amount) for _, amount, _ in lines)
        (currency,) = {currency for _, _, currency in lines}
        return Claim(customer=documents["customer"], amount=round(amount, 2), currency=currency)
    except (KeyError, ValueError) as error:
        # No later attempt would read these documents better.
        message = "documents must name a customer and invoices like 'roof repair 1200.50 EUR', all in one currency"
        raise TerminalError(message, status_code=400) from error


def convert_to_usd(claim: Claim) -> float:
    """Converts by the built-in table, extended by the rates file if there is one."""
    rates = dict(RATES_TO_USD)
    if RATES_FILE.exists():
        rates.update(json.loads(RATES_FILE.read_text(encoding="utf-8")))
    if claim["currency"] not in rates:
        raise LookupError(f"no exchange rate for {claim['currency']}: add it to {RATES_FILE.name}")
    return round(claim["amount"] * rates[claim["currency"]], 2)


def reimburse(claim_id: str, amount_usd: float) -> str:
    """Stands in for the bank: gives the reference of the payment."""
    return f"payment-{claim_id}-{amount_usd:.2f}"


app = restate.app([insurance_claim])
