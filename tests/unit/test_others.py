"""The table of other instrumentations: who is recognized where, and the page that tells of each."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import pytest
import wrapt

from litespan.sources.others import OTHERS, Other, Place, Sight, layers, recognize

PAGE = " ".join(
    (Path(__file__).parents[2] / "docs" / "other-instrumentations.md").read_text(encoding="utf-8").split()
)


def names(*sights: Sight, protocol_known: bool = True) -> list[str]:
    """Return the names of those recognized."""
    return [other.name for other in recognize(sights, protocol_known=protocol_known)]


def test_place_matters() -> None:
    """Traceloop's wrapper of LiteLLM is named outside litespan's only: inside it keeps still."""
    module = "opentelemetry.instrumentation.litellm"

    assert ["opentelemetry-instrumentation-litellm"] == names(Sight(Place.OUTSIDE, module))
    assert [] == names(Sight(Place.INSIDE, module))


@pytest.mark.parametrize(("protocol_known", "found"), [(True, 0), (False, 1)])
def test_protocol_matters(*, protocol_known: bool, found: int) -> None:
    """OpenTelemetry's own is named only where the installed protocol is too old to keep it still."""
    sight = Sight(Place.CLIENT, "opentelemetry.instrumentation.genai.openai")

    assert found == len(names(sight, protocol_known=protocol_known))


def test_module_names_are_whole() -> None:
    """A module whose name only begins alike is somebody else."""
    assert [] == names(Sight(Place.CLIENT, "openlitter"), Sight(Place.CALLBACK, "otel_of_mine"))
    assert ["openlit"] == names(Sight(Place.CLIENT, "openlit.instrumentation.openai.openai"))


def test_seen_twice_is_named_once() -> None:
    """One instrumentation in several places is one line."""
    assert ["openlit"] == names(Sight(Place.OUTSIDE, "openlit"), Sight(Place.PROCESSOR, "openlit.x"))


def test_layers_from_outside_in() -> None:
    """Wrappers are found under the module that they were written in, also behind functools.wraps."""

    @functools.wraps(Path.exists)
    def plain(*_: object) -> None:
        """Do nothing."""

    def hook(wrapped: Any, *_: Any) -> Any:
        return wrapped()

    wrapped = wrapt.FunctionWrapper(plain, hook)

    assert [__name__, __name__, "pathlib"] == list(layers(wrapped))
    assert [] == list(layers(None))


@pytest.mark.parametrize("other", OTHERS, ids=lambda other: other.name)
def test_page_tells_of_it(other: Other) -> None:
    """The page tells of everybody that the log can name."""
    name = other.name.removeprefix("LiteLLM's own callback ").strip('"').split("(")[0]

    assert name in PAGE


def test_line_on_the_page() -> None:
    """The line that the page quotes is the one that is logged."""
    assert OTHERS[0].message() in PAGE
