"""What docs/howto/human-approval.md says of its programs."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from perdure import TerminalError
from perdure.testing import Harness, SimulatedEngine
from support.documents import HOWTO, blocks, programs

PAGE = HOWTO / "human-approval.md"


@pytest.fixture
def page(tmp_path: Path) -> Iterator[SimpleNamespace]:
    with programs(PAGE, tmp_path) as found:
        yield found


@pytest.fixture
def asked(page: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids that were handed out."""
    ids: list[str] = []
    monkeypatch.setattr(page.reviews, "ask", lambda identifier, text: ids.append(identifier))
    return ids


def test_whoever_has_the_id_says_yes_and_the_first_answer_counts(page: SimpleNamespace, asked: list[str]) -> None:
    async def yes(engine: SimulatedEngine) -> None:
        sent = await engine.client.send(page.reviews.publish, "A poem")
        await asyncio.sleep(60)
        await engine.client.resolve_awakeable(asked[0], True)
        await engine.client.resolve_awakeable(asked[0], False)
        assert await sent.attach() == "published: A poem"

    with Harness(page.reviews.app, always_replay=True) as harness:
        harness.run(yes(harness.engine))
    assert len(asked) == 1


@pytest.mark.parametrize(("answer", "code"), [("no", 403), ("reject", 500), ("nothing", 408)])
def test_no(page: SimpleNamespace, asked: list[str], answer: str, code: int) -> None:
    async def no(engine: SimulatedEngine) -> int:
        sent = await engine.client.send(page.reviews.publish, "A poem")
        await asyncio.sleep(60)
        if answer == "no":
            await engine.client.resolve_awakeable(asked[0], False)
        elif answer == "reject":
            await engine.client.reject_awakeable(asked[0], "I am ill")
        with pytest.raises(TerminalError) as ended:
            await sent.attach()
        return ended.value.status_code

    with Harness(page.reviews.app) as harness:
        assert harness.run(no(harness.engine)) == code


def test_a_workflow_reminds_and_then_expires(page: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    reminded: list[str] = []

    def remind(claim: str) -> None:
        reminded.append(claim)

    monkeypatch.setattr(page.claims, "remind", remind)
    with Harness(page.claims.app) as harness:
        assert harness.run(harness.client.call(page.claims.run, 100, key="claim-1")) == "expired"
    assert reminded == ["claim-1"] * 7


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_decision_may_come_before_it_is_asked_for(page: SimpleNamespace, when: str) -> None:
    claims = page.claims

    async def decide(engine: SimulatedEngine) -> None:
        client = engine.client
        if when == "after":
            await client.send(claims.run, 100, key="claim-1")
            await asyncio.sleep(3 * 24 * 3600 + 60)
            assert await client.call(claims.status, key="claim-1") == "waiting since 3 days"
        with pytest.raises(TerminalError) as refused:
            await client.call(claims.decide, {"approved": True, "by": "Eve"}, key="claim-1")
        assert refused.value.status_code == 403
        await client.call(claims.decide, {"approved": True, "by": "Ada"}, key="claim-1")
        with pytest.raises(TerminalError) as settled:
            await client.call(claims.decide, {"approved": False, "by": "Bob"}, key="claim-1")
        assert settled.value.status_code == 409
        if when == "before":
            await client.send(claims.run, 100, key="claim-1")
        assert await client.workflow_attach(claims.run, "claim-1") == "100 paid"

    with Harness(claims.app) as harness:
        harness.run(decide(harness.engine))


def test_signals_that_come_early_are_kept_in_order(page: SimpleNamespace) -> None:
    drafts = page.drafts

    async def remarks(engine: SimulatedEngine) -> None:
        draft = await engine.client.send(drafts.write, "a poem")
        for text in ("shorter", "in verse", "done"):
            await engine.client.call(drafts.remark, {"invocation_id": draft.invocation_id, "text": text})
        assert await draft.attach() == "a poem, shorter, in verse"

    for always_replay in (False, True):
        with Harness(drafts.app, always_replay=always_replay) as harness:
            harness.run(remarks(harness.engine))


def test_say_yes(page: SimpleNamespace, asked: list[str]) -> None:
    """The function of the page that uses the client."""
    block = next(block for block in blocks(PAGE) if "say_yes" in block.text)
    namespace: dict[str, object] = {}
    exec(f"import perdure\n{block.text}", namespace)
    say_yes = namespace["say_yes"]

    async def yes(engine: SimulatedEngine) -> None:
        sent = await engine.client.send(page.reviews.publish, "A poem")
        await asyncio.sleep(60)
        await say_yes(engine.client, asked[0])  # type: ignore[operator]
        assert await sent.attach() == "published: A poem"

    with Harness(page.reviews.app) as harness:
        harness.run(yes(harness.engine))
