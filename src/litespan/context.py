"""``litespan.using``: what a program says about the part of it that runs inside a block."""

from __future__ import annotations

import functools
import inspect
import logging
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from typing import Any, Protocol, TypeVar
from uuid import UUID

from litespan.guard import guarded
from litespan.labels import MAX_ITEMS, AttributeValue, Labels, as_attribute, as_id, problem_of_name
from litespan.setting_checks import ConfigurationError

F = TypeVar("F", bound=Callable[..., Any])

logger = logging.getLogger("litespan")


class Propagation(Protocol):
    """Sends a user and a session on with the program's outgoing requests."""

    def attach(self, user: str | None, session: str | None) -> object:
        """Send them on from here; return what :meth:`detach` needs."""
        ...

    def detach(self, attached: object) -> None:
        """Stop it."""
        ...


class _Block:
    """One entered block: what holds in it, and the block around it."""

    __slots__ = ("labels", "outer", "owner", "stop_sending")

    def __init__(
        self,
        labels: Labels,
        outer: _Block | None,
        owner: using,
        stop_sending: Callable[[], object] | None,
    ) -> None:
        self.labels = labels
        self.outer = outer
        self.owner = owner
        self.stop_sending = stop_sending


_innermost: ContextVar[_Block | None] = ContextVar("litespan_using", default=None)
# Set by the composition root: where litespan is not set up, nothing is sent on.
_propagation: Propagation | None = None
_propagates_always = False
_told: set[str] = set()


def propagate_with(propagation: Propagation | None, *, always: bool = False) -> None:
    """Set how users and sessions are sent on, and whether that is done unasked; ``None``: they are not."""
    global _propagation, _propagates_always
    _propagation, _propagates_always = propagation, always


def current() -> Labels | None:
    """Return what holds here."""
    block = _innermost.get()
    return block.labels if block is not None else None


class using:  # noqa: N801 - it reads like the statement that it is part of
    """Say whom and what the code inside a block works for; every span that begins inside carries it.

    ``with litespan.using(user="u-17", session="s-4", tags=["beta"], team="search"):``, ``async with``, or a
    decorator of a function or coroutine function. In nested blocks inner values win and tags add up.
    Nothing of it is on metrics, but for the keys that the setting ``metric_keys`` allows. Where litespan is
    not set up, it does nothing.

    Values come from the program's data, so one that is not usable never stops it: it is left out, and one
    warning says so. Ids may be texts, whole numbers or UUIDs; ``None`` and blank texts mean: none.

    Args:
        user: id of the user: the span attribute ``user.id``.
        session: id of the conversation: ``session.id``, and ``gen_ai.conversation.id`` where the Agents SDK's
            trace has no ``group_id`` and no metadata that names one.
        tags: short words to search by: ``litespan.tags``; at most 64.
        propagate: put user and session into OpenTelemetry's baggage, so that instrumented HTTP clients send
            them on with every request, **also to the model provider**. Default: the setting
            ``propagate_baggage``, which is off.
        **attributes: attributes of your own by name; texts, truth values, numbers, or lists of one of them.
            Texts are cut at 1,024 characters.

    Raises:
        TypeError: if ``tags`` is a single text or cannot be iterated, or ``propagate`` is no truth value.
        ConfigurationError: if an attribute has a name that is not the program's to give.
    """

    def __init__(
        self,
        user: str | int | UUID | None = None,
        session: str | int | UUID | None = None,
        tags: Iterable[str] = (),
        *,
        propagate: bool | None = None,
        **attributes: object,
    ) -> None:
        self._propagate = _checked_propagate(propagate)
        self._own = Labels(
            _id("user", user), _id("session", session), _checked_tags(tags), _checked_attributes(attributes)
        )

    def __enter__(self) -> using:
        self._begin()
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    @guarded("using")
    def _begin(self) -> None:
        outer = _innermost.get()
        labels = self._own if outer is None else self._own.over(outer.labels)
        _innermost.set(_Block(labels, outer, self, self._send_on()))

    @guarded("using")
    def _end(self) -> None:
        block = _innermost.get()
        # A generator that entered the block may be closed in another context: there is nothing to undo there.
        while block is not None and block.owner is not self:
            block = block.outer
        if block is None:
            return
        _innermost.set(block.outer)
        if block.stop_sending is not None:
            block.stop_sending()

    async def __aenter__(self) -> using:
        return self.__enter__()

    async def __aexit__(self, *_: object) -> None:
        self.__exit__()

    def __call__(self, function: F) -> F:
        """Decorate a function: every call of it runs in a block like this one."""
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise TypeError(
                "litespan.using() cannot decorate a generator: the block would hold for whoever reads it. "
                "Write the block inside the generator, around what must not be interrupted by a yield."
            )
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def call_async(*args: Any, **kwargs: Any) -> Any:
                with self:
                    return await function(*args, **kwargs)

            return call_async  # type: ignore[return-value]

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            with self:
                return function(*args, **kwargs)

        return call  # type: ignore[return-value]

    def _send_on(self) -> Callable[[], object] | None:
        wanted = _propagates_always if self._propagate is None else self._propagate
        if not wanted or _propagation is None or not (self._own.user or self._own.session):
            return None
        attached = guarded("baggage")(_propagation.attach)(self._own.user, self._own.session)
        return functools.partial(guarded("baggage")(_propagation.detach), attached)


# -- checks ------------------------------------------------------------------------------------------------
# A value of the program's own class may fail when it is read.
_as_id = guarded("using")(as_id)
_as_attribute = guarded("using")(as_attribute)


def _id(name: str, value: object) -> str | None:
    text = _as_id(value)
    if text is None and value is not None and not isinstance(value, str):
        _tell_once(name, value)
    return text


def _checked_propagate(propagate: object) -> bool | None:
    if propagate is None or isinstance(propagate, bool):
        return propagate
    # A text such as "false" would send users on.
    raise TypeError(
        f"litespan.using(propagate=…) got a value of type {type(propagate).__name__}: "
        "it is True, False or None."
    )


def _checked_tags(tags: object) -> tuple[str, ...]:
    if isinstance(tags, (str, bytes)) or not isinstance(tags, Iterable):
        raise TypeError(
            f"litespan.using(tags=…) got a value of type {type(tags).__name__}: tags is a list of texts, "
            "for example tags=['beta']."
        )
    return tuple(dict.fromkeys(text for tag in tags if (text := _id("tags", tag)) is not None))[:MAX_ITEMS]


def _checked_attributes(attributes: Mapping[str, object]) -> dict[str, AttributeValue]:
    for name in attributes:
        if problem := problem_of_name(name):
            raise ConfigurationError(f"litespan.using() cannot set the attribute {name!r}: {problem}.")
    checked: dict[str, AttributeValue] = {}
    for name, value in attributes.items():
        attribute = _as_attribute(value)
        if attribute is not None:
            checked[name] = attribute
        elif value is not None:
            _tell_once(name, value)
    return checked


def _tell_once(name: str, value: object) -> None:
    """Log the type of a value that is left out, never the value: it may be anybody's data."""
    if name not in _told and len(_told) < MAX_ITEMS:
        _told.add(name)
        logger.warning(
            "litespan.using(%s=…) got a value of type %s, which no span can carry; it is left out.",
            name,
            type(value).__name__,
        )
