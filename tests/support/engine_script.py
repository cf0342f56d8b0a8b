"""The directives of the engine's data-driven tests. See `tests/unit/engine/testdata/README.md`."""

import re
from collections.abc import Callable, Iterator

import msgspec

from perdure import ids
from perdure.engine.load import AttemptStart, CannotStart, load_attempt
from perdure.engine.tables import Tables
from perdure.model import records
from perdure.model.actions import Action
from perdure.model.invocation import AttemptFailure, Failure, HandlerKind, Invocation, Success, Target
from perdure.model.records import AttemptEnd, Record
from perdure.model.registry import Registry, RetryPolicy, ServiceKind, ServiceSettings
from perdure.protocol import messages_pb2 as wire
from perdure.protocol.framing import FrameDecoder
from perdure.protocol.messages import decode, encode_input
from support import narration, services
from support.await_trees import parse_tree
from support.datadriven import Directive, Words
from support.driver import apply_checked
from support.entries import parse_entry
from support.narration import START
from support.stores import Store

_ID = re.compile(r"inv_1\w{33}")
_REQUEST = 1


class EngineScript:
    """A partition driven by directives. Keeps the time, and names for ids."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._now = START
        self._names: dict[str, str] = {}
        self._ids: dict[str, str] = {}
        self._numbers: dict[int, str] = {}
        self._announced: list[str] = []
        self._deployments = 0
        self._fresh = 0

    def run(self, directive: Directive) -> list[str]:
        run = getattr(self, "_do_" + directive.name.replace("-", "_"), None)
        assert run is not None, f"there is no directive '{directive.name}'"
        printed: list[str] = run(directive)
        directive.words.check_all_used()
        return [_ID.sub(lambda found: self._names.get(found[0], "?"), line) for line in printed]

    def id_of(self, name: str) -> str:
        """The invocation id that a script calls by that name."""
        return self._ids[name]

    # names

    def _id(self, name: str) -> str:
        """The id behind a name; a well-formed one that nothing has, for names never given."""
        if name not in self._ids:
            assert name in ("nobody", "nonsense"), f"nothing is called '{name}'"
            return "inv_1nonsense" if name == "nonsense" else ids.fresh_invocation_id("S", None, b"\0" * 16, 0)
        return self._ids[name]

    def _row(self, name: str) -> Invocation:
        row = self._store.tx.invocation_by_id(self._id(name))
        assert row is not None, f"there is no row of '{name}'"
        return row

    def _name(self, invocation_id: str, number: int, name: str) -> None:
        self._names[invocation_id] = name
        self._ids[name] = invocation_id
        self._numbers[number] = name

    def _name_new(self, tables: Tables) -> None:
        """Callees get the names that the script announced (`as=`), in order; else the caller's and a number."""
        for number, invocation in sorted(tables.invocations.items()):
            known = self._names.get(invocation.id)
            if known is not None:
                self._numbers[number] = known
            elif self._announced:
                self._name(invocation.id, number, self._announced.pop(0))
            else:
                self._name(invocation.id, number, f"{self._names[invocation.caller_id or '']}.{number}")

    # applying

    def _apply(self, record: Record, *, deliver: bool = True) -> list[str]:
        before = self._store.tables()
        self._store.begin()
        actions = apply_checked(self._store, record, self._now, deliver=deliver)
        self._store.commit()
        after = self._store.tables()
        self._name_new(after)
        self._announced.clear()
        return [*self._changes(before, after), *self._actions(actions)] or ["nothing"]

    def _changes(self, before: Tables, after: Tables) -> Iterator[str]:
        for number in sorted(before.invocations.keys() | after.invocations.keys()):
            name = self._numbers[number]
            old, new = before.invocations.get(number), after.invocations.get(number)
            was = old.status if old else "new"
            status = new.status if new else "gone"
            if was != status:
                yield f"{name}: {was} -> {status}"
            entries = after.journals.get(number, [])
            known = len(before.journals.get(number, []))
            if old and len(entries) < known and new:
                yield f"{name}: journal dropped, {len(entries)} left"
            for entry in entries[known:]:
                yield f"{name} [{entry.index}] {narration.entry(entry)}"
            held, holding = before.held.get(number, []), after.held.get(number, [])
            for completion in holding[len(held) :]:
                yield f"{name} holds Call done id={completion.completion_id}"
            for event in after.events.get(number, [])[len(before.events.get(number, [])) :]:
                yield f"{name} event {event.type}{_event(event.body)}"
        for place in sorted(before.states.keys() | after.states.keys()):
            if before.states.get(place) != after.states.get(place):
                yield f"state of {'/'.join(place)}: {_state(after, place)}"

    def _actions(self, actions: list[Action]) -> Iterator[str]:
        for action in actions:
            number = getattr(action, "number", None)
            line = narration.action(action, self._numbers.get(number, "?") if number else "")
            if line is not None:
                yield line

    # what the world does

    def _do_deploy(self, directive: Directive) -> list[str]:
        """deploy ID [versions=5-7], then lines: service|object|workflow NAME HANDLER[:shared]... [settings]"""
        self._deployments += 1
        declared = [_declared(line) for line in directive.lines]
        low, high = map(int, (directive.words.get("versions") or "5-7").split("-"))
        deployment = services.deployment(
            directive.words.positional[0],
            declared,
            versions=(low, high),
            created_at=self._deployments,
            revision=self._deployments,
        )
        reset = directive.words.flag("reset-settings")
        return self._apply(records.PutDeployment(_REQUEST, deployment=deployment, reset_settings=reset))

    def _do_grace(self, directive: Directive) -> list[str]:
        """grace MS: of cancels, from the next deployment on"""
        self._store.cancel_grace = int(directive.words.positional[0])
        return ["nothing"]

    def _do_undeploy(self, directive: Directive) -> list[str]:
        """undeploy ID [if-drained]"""
        deployment, drained = directive.words.positional[0], directive.words.flag("if-drained")
        return self._apply(records.DeleteDeployment(_REQUEST, id=deployment, if_drained=drained))

    def _do_settings(self, directive: Directive) -> list[str]:
        settings = ServiceSettings(journal_retention=directive.words.number("journal-retention"))
        service = directive.words.positional[0]
        return self._apply(records.PutServiceSettings(_REQUEST, service=service, settings=settings))

    def _do_invoke(self, directive: Directive) -> list[str]:
        """invoke NAME target=S/[key/]handler [input=] [send] [delay=ms] [idempotency=]: by a caller outside"""
        words = directive.words
        target = parse_target(self._store.tx.registry, words["target"])
        idempotency_key = words.get("idempotency")
        may_exist = target.handler_kind is HandlerKind.WORKFLOW or idempotency_key is not None
        invocation_id = self._new_id(target, idempotency_key)
        name = words.positional[0]
        self._names.setdefault(invocation_id, name)
        self._ids[name] = invocation_id
        delay = words.get("delay")
        record = records.Invoke(
            _REQUEST,
            id=invocation_id,
            target=target,
            input=encode_input([], (words.get("input") or "").encode()),
            wait=not words.flag("send"),
            may_exist=may_exist,
            idempotency_key=idempotency_key,
            execution_time=self._now + int(delay) if delay else None,
        )
        return self._apply(record)

    def _new_id(self, target: Target, idempotency_key: str | None) -> str:
        if target.handler_kind is HandlerKind.WORKFLOW:
            assert target.key is not None
            return ids.workflow_invocation_id(target.service, target.key)
        if idempotency_key is not None:
            return ids.idempotent_invocation_id(target.service, target.handler, idempotency_key, target.key)
        return ids.fresh_invocation_id(target.service, target.key, self._next().to_bytes(16, "big"), 0)

    def _next(self) -> int:
        self._fresh += 1
        return self._fresh

    def _do_progress(self, directive: Directive) -> list[str]:
        """progress NAME [attempt=] [version=7] [deployment=], then lines: commands, perhaps an end. `undelivered`:

        the server dies before it takes the messages that follow."""
        words = directive.words
        row = self._row(words.positional[0])
        attempt = words.get("attempt")
        entries = []
        end: AttemptEnd | None = None
        for line in directive.lines:
            end = _end(line)
            if end is None:
                if (name := line.get("as")) is not None:
                    self._announced.append(name)
                entries.append(parse_entry(line, self._now, self._id))
        record = records.AttemptProgress(
            number=row.number,
            attempt=int(attempt) if attempt else row.attempt,
            deployment_id=words.get("deployment") or row.deployment_id or self._newest(row.service),
            protocol_version=int(words.get("version") or 7),
            server=None,
            entries=entries,
            end=end,
            randomness=self._next().to_bytes(16, "big"),
        )
        return self._apply(record, deliver=not words.flag("undelivered"))

    def _newest(self, service: str) -> str:
        return self._store.tx.registry.services[service].deployment_id

    def _do_complete(self, directive: Directive) -> list[str]:
        """complete NAME idx=|name= [value=|failure=]: somebody outside completes an awakeable or sends a signal"""
        words = directive.words
        number = words.get("idx")
        record = records.CompleteSignal(
            _REQUEST,
            id=self._id(words.positional[0]),
            signal_id=int(number) if number else None,
            signal_name=words.get("name"),
            outcome=_outcome(words),
        )
        return self._apply(record)

    def _do_complete_promise(self, directive: Directive) -> list[str]:
        """complete-promise S/key/NAME [value=|failure=]: somebody outside completes a promise"""
        service, key, name = directive.words.positional[0].split("/")
        outcome = _outcome(directive.words) or Success(b"")
        return self._apply(records.CompletePromise(_REQUEST, service=service, key=key, name=name, outcome=outcome))

    def _do_cancel(self, directive: Directive) -> list[str]:
        """cancel NAME [actor=] [reason=]. `undelivered`: as for progress"""
        words = directive.words
        operator = records.Operator(words.get("actor"), words.get("reason"))
        deliver = not words.flag("undelivered")
        record = records.Cancel(_REQUEST, id=self._id(words.positional[0]), operator=operator)
        return self._apply(record, deliver=deliver)

    def _do_kill(self, directive: Directive) -> list[str]:
        return self._apply(records.Kill(_REQUEST, id=self._id(directive.words.positional[0])))

    def _do_pause(self, directive: Directive) -> list[str]:
        return self._apply(records.Pause(_REQUEST, id=self._id(directive.words.positional[0])))

    def _do_resume(self, directive: Directive) -> list[str]:
        deployment = directive.words.get("deployment") or "keep"
        name = directive.words.positional[0]
        return self._apply(records.Resume(_REQUEST, id=self._id(name), deployment=deployment))

    def _do_purge(self, directive: Directive) -> list[str]:
        return self._apply(records.Purge(_REQUEST, id=self._id(directive.words.positional[0])))

    def _do_purge_journal(self, directive: Directive) -> list[str]:
        return self._apply(records.PurgeJournal(_REQUEST, id=self._id(directive.words.positional[0])))

    def _do_restart(self, directive: Directive) -> list[str]:
        """restart OLD as=NEW [from=] [deployment=] [key=]: as new"""
        words = directive.words
        old = self._id(words.positional[0])
        record = records.RestartAsNew(
            _REQUEST,
            id=old,
            new_id=ids.sibling_invocation_id(old, self._next().to_bytes(16, "big")),
            from_index=int(words.get("from") or 0),
            deployment=words.get("deployment") or "latest",
            key=words.get("key"),
        )
        self._announced.append(words["as"])
        return self._apply(record)

    def _do_modify_state(self, directive: Directive) -> list[str]:
        """modify-state S/key [version=], then lines: NAME=VALUE"""
        service, key = directive.words.positional[0].split("/")
        state = {}
        for line in directive.lines:
            name, _, value = line.text.partition("=")
            state[name] = value.encode()
        mutation = records.StateMutation(service, key, state, directive.words.get("version"))
        return self._apply(records.ModifyState(_REQUEST, mutation=mutation))

    def _do_change_state(self, directive: Directive) -> list[str]:
        """change-state S/key/NAME [before=] [value=]: of one entry"""
        words = directive.words
        service, key, name = words.positional[0].split("/")
        before, value = (None if word is None else word.encode() for word in (words.get("before"), words.get("value")))
        change = records.EntryChange(name, before, value)
        mutation = records.StateMutation(service, key, {}, change=change)
        return self._apply(records.ModifyState(_REQUEST, mutation=mutation))

    def _do_wait(self, directive: Directive) -> list[str]:
        """wait MS: time passes, and timers are looked at"""
        self._now += int(directive.words.positional[0])
        return self._apply(records.TimersDue())

    def _do_sweep(self, directive: Directive) -> list[str]:
        """sweep after=MS: time passes, and what has expired is removed"""
        self._now += directive.words.number("after")
        return self._apply(records.Sweep(_REQUEST))

    def _do_recover(self, _directive: Directive) -> list[str]:
        return self._apply(records.Recover(_REQUEST))

    # what can be seen

    def _do_journal(self, directive: Directive) -> list[str]:
        row = self._row(directive.words.positional[0])
        return [f"[{entry.index}] {narration.entry(entry)}" for entry in self._store.tx.entries(row.number)]

    def _do_row(self, directive: Directive) -> list[str]:
        """row NAME [column...]: all columns that tell something, or those named"""
        name, *columns = directive.words.positional
        lines = narration.row(self._row(name))
        return [line for line in lines if not columns or line.partition(":")[0] in columns] or ["nothing"]

    def _do_load(self, directive: Directive) -> list[str]:
        """load NAME [eager=BYTES]: what the next attempt would start with"""
        row = self._row(directive.words.positional[0])
        limit = int(directive.words.get("eager") or 1_000_000)
        start = load_attempt(self._store.tx, row.number, row.attempt, self._now, limit, 7)
        match start:
            case None:
                return ["of the past"]
            case CannotStart():
                return [f"{start.rt_code} {start.message}"]
            case AttemptStart():
                return [f"on {start.deployment.id} version={start.protocol_version}", *_frames(start.frames)]


def _frames(data: bytes) -> Iterator[str]:
    first, *rest = FrameDecoder(1 << 30).feed(data)
    message = decode(first.type, first.payload)
    assert isinstance(message, wire.StartMessage)
    state = " ".join(f"{item.key.decode()}={item.value.decode()}" for item in message.state_map)
    yield f"state: {state or 'none'}{' (partial)' if message.partial_state else ''}"
    yield f"failed before: {message.retry_count_since_last_stored_entry}"
    yield f"entries: {message.known_entries}, the last {message.duration_since_last_stored_entry} ms ago"
    assert message.known_entries == len(rest)


def _event(body: bytes) -> str:
    fields = msgspec.json.decode(body) or {}
    if "operation" in fields:
        told = [f" {name}={fields[name]}" for name in ("actor", "reason") if name in fields]
        return f" {fields['operation']}{''.join(told)}"
    if "callees" in fields:
        return f" {' '.join(fields['callees'])} and {fields['more']} more"
    failure = msgspec.json.decode(body, type=AttemptFailure | None)
    if failure is None:
        return ""
    where = "" if failure.command_index is None else f" at command {failure.command_index} {failure.command_type}"
    return f" {failure.code} {failure.rt_code}: {failure.message}{where}"


def _state(tables: Tables, place: tuple[str, str]) -> str:
    entries = sorted(tables.states.get(place, {}).items())
    return " ".join(f"{name.decode()}={value.decode()}" for name, value in entries) or "empty"


def _outcome(words: Words) -> Success | Failure | None:
    if (value := words.get("value")) is not None:
        return Success(value.encode())
    if (failure := words.get("failure")) is not None:
        code, _, message = failure.partition(":")
        return Failure(int(code), message)
    return None


def parse_target(registry: Registry, text: str) -> Target:
    service_name, *key, handler_name = text.split("/")
    service = registry.services[service_name]
    handler = service.handlers[handler_name]
    return Target(service_name, handler_name, key[0] if key else None, service.kind, handler.kind)


def _declared(line: Words) -> services.Declared:
    kind, name, *handlers = line.positional
    kinds = {"service": ServiceKind.SERVICE, "object": ServiceKind.VIRTUAL_OBJECT, "workflow": ServiceKind.WORKFLOW}
    attempts, initial, factor = line.get("attempts"), line.get("initial"), line.get("factor")
    retry = services.policy(
        int(attempts) if attempts else None,
        kill=line.get("then") == "kill",
        initial=int(initial) if initial else 500,
        factor=float(factor) if factor else 2.0,
    )
    completion, journal = line.get("completion-retention"), line.get("journal-retention")
    lazy = "lazy" in handlers
    declared = services.Declared(
        name,
        kinds[kind],
        [handler for handler in handlers if handler != "lazy"],
        retry if attempts or initial or factor else RetryPolicy(),
        int(completion) if completion else services.DAY,
        int(journal) if journal else services.DAY,
        lazy,
    )
    line.check_all_used()
    return declared


def _end(line: Words) -> AttemptEnd | None:
    make = _ENDS.get(line.positional[0])
    return make(line) if make else None


def _error(line: Words) -> AttemptEnd:
    retry_after, code = line.get("retry-after"), int(line.get("code") or 500)
    failure = AttemptFailure(code, line.get("rt") or "RT0007", line.get("message") or "boom")
    behavior = {None: 0, "pause": 1, "fail": 2}[line.get("behavior")]
    counted = not line.flag("uncounted")
    line.check_all_used()
    return records.Failed(failure, int(retry_after) if retry_after else None, behavior, counted)


_ENDS: dict[str, Callable[[Words], AttemptEnd]] = {
    "end": lambda _line: records.Ended(),
    "suspend": lambda line: records.Suspended(msgspec.json.encode(parse_tree(line.positional[1]))),
    "error": _error,
}
