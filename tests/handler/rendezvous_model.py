"""Every interleaving of steps that meet, with the real handler: what the service may do, what must never come of it.

An invocation is a real call of the Lambda function's handler. It is driven one operation on the store or on a task
token at a time: to learn its next operation it is run from its beginning with the answers that it has got so far, and
cut off at the first operation that has none yet. So an invocation is the list of answers it got, all invocations
together are explored like any other state space, and the handler is run once for each list.

The service: an invocation that dies, or that is believed to be dead while it goes on, is repeated (a state that waits
for its token with another token) or followed by the state after a failure; a state that waits may time out; an answered
token lets its state go on at once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from solidstate.handler.entry import make_handler
from solidstate.handler.outcome import AttemptFailed
from solidstate.handler.runtime import LoadedPipeline, Runtime
from solidstate.infra.inline import InlineInvocation
from solidstate.pipeline import PipelineDefinition
from solidstate.planner.build import build_plan
from solidstate.planner.contract import RunHandle
from tests.handler.replay import Answer, CutOff, Operation, Replay

TWICE = "a body runs twice without a crash"
ASLEEP = "a step stays parked"
EARLY = "a step is woken too early"


class Role(NamedTuple):
    """A step of the model. After a failure of one that ``wakes`` comes a state that puts its end on record."""

    step: str
    waits: tuple[str, ...] = ()
    wakes: tuple[str, ...] = ()


class _Known:
    """Objects, each a bit, and which of them there may be under one name."""

    def __init__(self) -> None:
        self._bits: dict[tuple[str, bytes], int] = {}
        self._bodies: dict[int, bytes] = {}
        self._masks: dict[str, int] = {}

    def bit(self, name: str, body: bytes = b"") -> int:
        if (name, body) not in self._bits:
            bit = 1 << len(self._bits)
            self._bits[name, body], self._bodies[bit] = bit, body
            self._masks[name] = self.mask(name) | bit
        return self._bits[name, body]

    def mask(self, name: str) -> int:
        return self._masks.get(name, 0)

    def body(self, found: int) -> bytes | None:
        return self._bodies[found] if found else None


class _Task(NamedTuple):
    """Where the service is with one step: ``state`` is "plain", "token", "after wait", "ended" or "over". ``entry``
    counts how often that was repeated, ``node`` is the invocation that it listens to, None when that has returned.
    ``excess`` is how often the body ran beyond one for each death."""

    state: str
    entry: int = 0
    node: int | None = None
    excess: int = 0


class _State(NamedTuple):
    """``objects`` and ``closed`` (tokens) are sets of bits; ``strays`` are invocations that nobody listens to any more,
    ``crashes`` are left to happen."""

    objects: int
    closed: int
    tasks: tuple[_Task, ...]
    strays: frozenset[tuple[int, int]]
    crashes: int

    def having(self, index: int, task: _Task) -> _State:
        tasks = (*self.tasks[:index], task, *self.tasks[index + 1 :])
        return _State(self.objects, self.closed, tasks, self.strays, self.crashes)


class _Writers(dict[str, tuple[int, str]]):
    """By key, whose object it is and of which kind."""

    def __init__(self, places: dict[str, int]) -> None:
        super().__init__()
        self._places = places

    def __missing__(self, key: str) -> tuple[int, str]:
        _, kind, _, step, *_ = key.split("/")
        self[key] = self._places.get(step, -1), kind  # what is read of a step that is not in the model is not there
        return self[key]


class Model:
    """The state space of one pipeline whose steps meet. ``lost`` says whether an invocation that is believed to be dead
    may go on."""

    def __init__(
        self, definition: PipelineDefinition, roles: Sequence[Role], *, crashes: int, lost: bool = True
    ) -> None:
        loaded = LoadedPipeline(definition, build_plan(definition))
        self._replay: Any = Replay()
        runtime = Runtime(
            [loaded], self._replay, engine="model", open_fs=lambda: None, fetch_workers=1, tokens=self._replay
        )
        self._handler = make_handler(runtime)
        handle = RunHandle("r", "default", pipeline=definition.name, plan=loaded.hash, request={})
        self._run = msgspec.to_builtins(handle)
        self._roles, self._crashes, self._lost = tuple(roles), crashes, lost
        places = {role.step: index for index, role in enumerate(self._roles)}
        self._writers = _Writers(places)
        self._commits = {f"v1/commits/{definition.name}/{role.step}/r.ndjson" for role in roles}
        self._bodies: dict[str, bytes] = {}
        self._objects, self._tokens = _Known(), _Known()
        # Of each invocation as far as it has come: its payload, the answers, the next operation; whether it has had any
        # effect; whether its body has run.
        self._nodes: list[tuple[dict[str, Any], tuple[Answer, ...], Operation]] = []
        self._effects: list[bool] = []
        self._ran: list[bool] = []
        self._roots: dict[bytes, int] = {}
        self._after: dict[tuple[int, Answer], int] = {}

    def explore(self) -> tuple[int, list[str]]:
        """The number of states, and what went wrong in any of them; the first problem ends it."""
        tasks = [
            self._entered(index, _Task("token" if role.waits else "plain")) for index, role in enumerate(self._roles)
        ]
        first = self._forward(_State(0, 0, tuple(tasks), frozenset(), self._crashes))
        seen, todo = {first}, deque([first])
        while todo:
            state = todo.pop()
            trouble = self._trouble(state)
            if trouble:
                return len(seen), [trouble]
            if self._is_boring(state):
                continue
            moves = list(self._moves(state))
            if not moves and any(task.state != "over" for task in state.tasks):
                return len(seen), [ASLEEP]
            for moved in [*moves, *self._crashing(state)]:
                following = self._forward(moved)
                if following not in seen:
                    seen.add(following)
                    todo.append(following)
        return len(seen), []

    def _trouble(self, state: _State) -> str:
        for task in state.tasks:
            if task.excess > 1:
                return TWICE
            if task.state == "after wait" and task.node is not None and self._nodes[task.node][2].verb == "raised":
                return EARLY
        return ""

    def _is_boring(self, state: _State) -> bool:
        """Whether all that wait have come through: the others wait for nobody."""
        waiting = [index for index, role in enumerate(self._roles) if role.waits]
        return all(state.tasks[index].state == "over" for index in waiting) and not any(
            index in waiting for index, _ in state.strays
        )

    def _may_appear(self, state: _State, name: str) -> bool:
        """Whether anybody is left who could write the object."""
        index, kind = self._writers[name]
        if index < 0:
            return False
        role, task = self._roles[index], state.tasks[index]
        if any(stray == index for stray, _ in state.strays):
            return True
        if kind == "parked":
            return task.state == "token"
        if kind == "ended":
            return bool(role.wakes) and task.state != "over"
        return task.state not in ("over", "ended")

    # -- invocations

    def _node(self, payload: dict[str, Any], answers: tuple[Answer, ...]) -> int:
        self._replay.begin(answers)
        try:
            self._handler(payload, InlineInvocation(60))
            operation = Operation("returned")
        except CutOff:
            operation = self._replay.reached
        except AttemptFailed as failed:
            operation = Operation("raised", type(failed).__name__)
        if self._commits_something(operation):  # times and the like are in it, which make no difference here
            operation = operation._replace(body=self._bodies.setdefault(operation.name, operation.body))
        self._nodes.append((payload, answers, operation))
        self._ran.append(self._commits_something(operation))
        self._effects.append(False)
        return len(self._nodes) - 1

    def _commits_something(self, operation: Operation) -> bool:
        return operation.verb == "put" and operation.name in self._commits

    def _root(self, index: int, task: _Task) -> int:
        role = self._roles[index]
        payload: dict[str, Any] = {"kind": "step", "step": role.step, "run": self._run, "wakes": role.wakes}
        if task.state == "ended":
            payload["kind"] = "ended"
        else:
            payload["retry"] = task.entry
        if task.state == "token":
            payload |= {"waits": role.waits, "token": self._token(index, task)}
        elif task.state == "after wait":
            payload["woken"] = True
        key = msgspec.json.encode(payload)
        if key not in self._roots:
            self._roots[key] = self._node(msgspec.json.decode(key), ())
        return self._roots[key]

    def _token(self, index: int, task: _Task) -> str:
        return f"{self._roles[index].step}-{task.entry}"

    def _next(self, node: int, answer: Answer) -> int:
        if (node, answer) not in self._after:
            payload, answers, operation = self._nodes[node]
            after = self._after[node, answer] = self._node(payload, (*answers, answer))
            wrote = operation.verb not in ("get", "exists") and bool(answer)
            self._effects[after] = self._effects[node] or wrote
        return self._after[node, answer]

    # -- the service

    def _entered(self, index: int, task: _Task) -> _Task:
        """A state of the machine, at its next invocation."""
        return self._at(task, self._root(index, task))

    def _at(self, task: _Task, node: int) -> _Task:
        """The body of an invocation has run when it is about to commit."""
        return task._replace(node=node, excess=task.excess + self._ran[node])

    def _moves(self, state: _State) -> Iterator[_State]:
        for index, task in enumerate(state.tasks):
            if task.node is not None:
                yield self._done(state, index, task)
        for stray in state.strays:
            yield self._strayed(state, *stray)

    def _done(self, state: _State, index: int, task: _Task) -> _State:
        """After the next operation of the invocation of a task."""
        assert task.node is not None
        operation = self._nodes[task.node][2]
        if operation.verb == "returned":
            return state.having(index, task._replace(node=None) if task.state == "token" else self._over(task))
        if operation.verb == "raised":
            return state.having(index, self._caught(index, task))
        state, answer = self._effect(state.having(index, task._replace(node=-1)), operation)
        node = self._next(task.node, answer)
        if state.tasks[index].node == -1:
            return state.having(index, self._at(task, node))
        return state._replace(strays=state.strays - {(index, -1)} | {(index, node)})  # it has answered its own token

    def _strayed(self, state: _State, index: int, node: int) -> _State:
        operation = self._nodes[node][2]
        state = state._replace(strays=state.strays - {(index, node)})
        if operation.verb in ("returned", "raised"):
            return state
        state, answer = self._effect(state, operation)
        moved, task = self._next(node, answer), state.tasks[index]
        excess = task.excess + self._ran[moved]
        return state.having(index, task._replace(excess=excess))._replace(strays=state.strays | {(index, moved)})

    def _effect(self, state: _State, operation: Operation) -> tuple[_State, Answer]:
        if operation.verb in ("ok", "ready"):
            if state.closed & self._tokens.mask(operation.name):
                return state, False
            return self._answered(state, operation), True
        there = state.objects & self._objects.mask(operation.name)
        if operation.verb == "get":
            return state, self._objects.body(there)
        if operation.verb == "exists":
            return state, bool(there)
        if operation.if_absent and there:
            return state, False
        added = self._objects.bit(operation.name, operation.body)
        return state._replace(objects=state.objects & ~there | added), True

    def _answered(self, state: _State, operation: Operation) -> _State:
        """The state whose token it is goes on at once, whatever its invocation does."""
        state = state._replace(closed=state.closed | self._tokens.bit(operation.name))
        for index, task in enumerate(state.tasks):
            if task.state != "token" or self._token(index, task) != operation.name:
                continue
            if task.node is not None:
                state = state._replace(strays=state.strays | {(index, task.node)})
            woken = self._entered(index, task._replace(state="after wait", entry=0))
            return state.having(index, self._over(task) if operation.verb == "ok" else woken)
        raise AssertionError(operation)

    def _over(self, task: _Task) -> _Task:
        return _Task("over", excess=task.excess)

    def _caught(self, index: int, task: _Task) -> _Task:
        """The state after a failure, if there is one."""
        if self._roles[index].wakes and task.state != "ended":
            return self._entered(index, _Task("ended", excess=task.excess))
        return self._over(task)

    def _crashing(self, state: _State) -> Iterator[_State]:
        """A death, a death that is none, or a time-out, at this very moment."""
        for stray in state.strays if state.crashes else ():
            yield state._replace(strays=state.strays - {stray}, crashes=state.crashes - 1)
        for index, task in enumerate(state.tasks) if state.crashes else ():
            if task.node is None and task.state != "token":
                continue
            left = state._replace(crashes=state.crashes - 1)
            if task.state == "token":
                left = left._replace(closed=left.closed | self._tokens.bit(self._token(index, task)))
            died = task._replace(excess=task.excess - (task.node is not None))
            again = self._entered(index, died._replace(entry=task.entry + 1))
            ways = [again, self._caught(index, died)] if task.state == "plain" else [again]
            # Without effect, a death at one moment is as good as at another; and to be tried again is no death at all.
            began = task.node is not None and not self._effects[task.node]
            dying = ways if not began else [] if self._nodes[task.node or 0][1] else ways[1:]
            for way in dying:
                yield left.having(index, way)
            for way in ways if task.node is not None and self._lost else ():
                after = left.having(index, way)
                yield after._replace(strays=after.strays | {(index, task.node or 0)})

    def _forward(self, state: _State) -> _State:
        """On over all operations whose answer cannot change any more: their place in the order makes no difference."""
        moved = True
        while moved:
            moved = False
            for index, node in state.strays:
                if self._is_settled(state, self._nodes[node][2], stray=True):
                    state, moved = self._strayed(state, index, node), True
                    break
            for index, task in enumerate(state.tasks):
                if task.node is not None and self._is_settled(state, self._nodes[task.node][2], stray=False):
                    if self._nodes[task.node][2].verb == "raised" and task.state == "after wait":
                        continue
                    state, moved = self._done(state, index, task), True
        return state

    def _is_settled(self, state: _State, operation: Operation, *, stray: bool) -> bool:
        if operation.verb in ("returned", "raised"):
            return stray or not state.crashes
        if operation.verb in ("ok", "ready"):
            return bool(state.closed & self._tokens.mask(operation.name))
        if operation.verb == "put" and not operation.if_absent:
            return bool(state.objects & self._objects.bit(operation.name, operation.body))
        return bool(state.objects & self._objects.mask(operation.name)) or not self._may_appear(state, operation.name)
