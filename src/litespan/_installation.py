"""The composition root: it alone sees the sources, the emitters and the exporters, and puts them together."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from functools import partial
from types import ModuleType
from typing import Any

import wrapt

from litespan import __version__, context, guard, semconv
from litespan._instruments import InstrumentsByProvider
from litespan.content import Shapes
from litespan.emit import baggage
from litespan.emit.call_marks import protocol_known
from litespan.emit.events import EventEmitter
from litespan.emit.extra_keys import ExtraKeys
from litespan.emit.metrics import MetricsEmitter
from litespan.emit.spans import SpanEmitter, suppressed
from litespan.export.adoption import stands_in
from litespan.export.deadline import Worker, bounded, left_until
from litespan.export.exit import run_first
from litespan.export.pipeline import Pipeline
from litespan.export.sampling import drops_whole_traces
from litespan.export.span_end import ender
from litespan.export.span_start import starter, telling_of_the_first
from litespan.listeners import Emitter
from litespan.pricing import PriceBook
from litespan.recorder import Recorder
from litespan.semconv import Generation
from litespan.settings import Settings
from litespan.sources import litellm_prices, litellm_table
from litespan.sources.lookout import Lookout

logger = logging.getLogger("litespan")


class Installation:
    """A recorder for a pipeline, and the hosts that it watches.

    ``implicit``: the program has not asked for it, so that what it asks for replaces this one. ``clock``
    returns nanoseconds since the Unix epoch.
    """

    def __init__(
        self,
        settings: Settings,
        pipeline: Pipeline,
        instruments: InstrumentsByProvider,
        *,
        implicit: bool = False,
        clock: Callable[[], int] | None = None,
    ) -> None:
        self.settings = settings
        self.pipeline = pipeline
        self.implicit = implicit
        generation = semconv.GENERATIONS[settings.semconv]
        prices = PriceBook(settings, litellm_table.look_up, litellm_table.origin(), litellm_prices.owner)
        emitters = _emitters(settings, generation, pipeline, prices, instruments)
        self.recorder = _recorder(settings, generation, emitters, prices, clock)
        self._lookout = Lookout(protocol_known)
        self._undo: list[Callable[[], None]] = []
        self._active = True
        # A host may be imported in another thread while this one takes everything out.
        self._lock = threading.RLock()
        self._worker = Worker("records")
        self._all_ended: Future[bool] | None = None
        self._ending_thread: int | None = None

    def watch_hosts(self) -> None:
        """Watch each host now if it is imported, else as soon as it is: litespan itself never imports one."""
        context.propagate_with(baggage.Propagation(), always=self.settings.propagate_baggage)
        self._when_imported("litellm", self._watch_litellm)
        self._when_imported("agents", self._watch_agents)

    def take_out(self) -> None:
        """Take everything out of the hosts again; :meth:`end` or :meth:`shutdown` ends what is open."""
        with self._lock:
            self._active = False
            context.propagate_with(None)
            while self._undo:
                guard.guarded("uninstrument")(self._undo.pop())()

    def end(self) -> None:
        """End what is open, in this thread: it may hold a lock that a processor of the program takes, too."""
        ended, first = self._begin_to_end()
        if first:
            self._end_everything(ended)
            self._worker.stop()
        else:
            self._wait(ended, self.settings.exit_timeout)

    def flush(self, timeout: float) -> bool:
        """Send what has ended, within ``timeout`` (seconds); true only if all of it was exported."""
        deadline = time.monotonic() + timeout
        if self._active:
            ended = self._run(self._end_traces, timeout / 2)
        else:
            ended = self._all_ended is not None and self._all_ended.done()
        return self.pipeline.flush(left_until(deadline)) and ended

    def shutdown(self, timeout: float) -> bool:
        """End what is open, send it and stop, within ``timeout`` (seconds); true only if all was exported.

        A second call waits for the first one, and says the same.
        """
        deadline = time.monotonic() + timeout
        ended, first = self._begin_to_end()
        if first:
            self._run(partial(self._end_everything, ended), timeout / 2)
            self._worker.stop()
        done = self._wait(ended, left_until(deadline - timeout / 2))
        return self.pipeline.shutdown(left_until(deadline)) and done

    def sweep_soon(self) -> None:
        """Close what is overdue, but not here: whoever collects metrics holds locks that an end may need.

        A processor of the program is told of each end, and may make an instrument there.
        """
        if self._active:
            self._worker.submit(self._sweep)

    def reset_after_fork(self) -> None:
        """Forget the parent's records in a forked child, where nobody may be left to release a lock."""
        self._lock = threading.RLock()
        self._worker.start()
        self.recorder.reset_after_fork()

    def _sweep(self) -> bool:
        self.recorder.sweep()
        return True

    def _run(self, task: Callable[[], bool], timeout: float) -> bool:
        """Run what ends records; true if it is done in time (seconds).

        Processors of the program may export each span in whatever thread ends it, for as long as they like,
        so they are not run in the thread that waits. Those that were built here never take long.
        """
        if self.pipeline.adopts_traces and not self._worker.is_current():
            return self._wait(self._worker.submit(task), timeout)
        return guard.guarded("closing")(task)() is True

    def _wait(self, future: Future[bool], timeout: float) -> bool:
        if self._worker.is_current() or self._ending_thread == threading.get_ident():
            return future.done()  # a processor of the program asks, and would wait for itself
        return bool(wait([future], bounded(timeout)).done)

    def _begin_to_end(self) -> tuple[Future[bool], bool]:
        """Return what tells that everything has ended, and whether nobody has begun to end it before."""
        with self._lock:
            first = self._all_ended is None
            self._all_ended = self._all_ended or Future()
            return self._all_ended, first

    def _end_everything(self, ended: Future[bool]) -> bool:
        self._ending_thread = threading.get_ident()
        guard.guarded("closing")(self.recorder.close_everything)()
        self._ending_thread = None
        ended.set_result(True)
        return True

    def _end_traces(self) -> bool:
        self.recorder.close_ended_traces()
        return True

    def _when_imported(self, name: str, watch: Callable[[ModuleType], None]) -> None:
        def watch_it(module: ModuleType) -> None:
            with self._lock:
                if self._active:
                    guard.guarded(f"watching {name}")(watch)(module)
                    self._lookout.look()

        if name in sys.modules:
            watch_it(sys.modules[name])
        else:
            wrapt.register_post_import_hook(watch_it, name)

    def _watch_litellm(self, module: ModuleType) -> None:
        from litespan.sources.litellm_calls import CallSource

        source = CallSource(module, self.recorder, self._lookout)
        source.install()
        self._undo.append(source.uninstall)

    def _watch_agents(self, module: ModuleType) -> None:
        if not hasattr(module, "set_trace_processors"):
            logger.warning(
                "The module 'agents' that was imported is not the OpenAI Agents SDK; runs are not seen."
            )
            return
        from litespan.sources.agents_install import AgentsSource
        from litespan.sources.agents_processor import AgentsProcessor

        source = AgentsSource(
            self.recorder, AgentsProcessor(self.recorder, lambda: self.flush(self.settings.exit_timeout))
        )
        source.install(keep_openai_exporter=self.settings.openai_traces)
        self._undo.append(source.uninstall)
        self._lookout.of_agents, self._lookout.removed = source.sights, source.removed


def _emitters(
    settings: Settings,
    generation: Generation,
    pipeline: Pipeline,
    prices: PriceBook,
    instruments: InstrumentsByProvider,
) -> list[Emitter]:
    scope, url = (semconv.SCOPE, __version__), generation.schema_url
    tracer = pipeline.tracer_provider.get_tracer(*scope, schema_url=url)
    meter = pipeline.meter_provider.get_meter(*scope, schema_url=url)
    start_span = starter(tracer)
    if stands_in(pipeline.tracer_provider):
        # The provider that comes later ends itself at exit; what is open then has to end before.
        start_span = telling_of_the_first(start_span, run_first)
    emitters: list[Emitter] = [
        SpanEmitter(
            generation,
            content=settings.content_on_spans,
            turn_spans=settings.turn_spans,
            constant=settings.extra_attributes,
            start_span=start_span,
            end_span=ender(),
            drops_whole_traces=drops_whole_traces(pipeline.tracer_provider),
        ),
        MetricsEmitter(
            instruments.of(pipeline.meter_provider, meter),
            generation,
            prices.standing,
            ExtraKeys(settings.metric_keys, settings.extra_attributes),
        ),
    ]
    if pipeline.logger_provider is not None:
        # After the spans: an event is in the context of its span.
        logger_of_events = pipeline.logger_provider.get_logger(*scope, schema_url=url)
        emitters.append(EventEmitter(logger_of_events, generation, constant=settings.extra_attributes))
    return emitters


def _recorder(
    settings: Settings,
    generation: Generation,
    emitters: Sequence[Emitter],
    prices: PriceBook,
    clock: Callable[[], int] | None,
) -> Recorder:
    options: dict[str, Any] = {} if clock is None else {"clock": clock}
    shapes = Shapes(generation.text_instructions, generation.message_finish_reason)
    return Recorder(
        settings,
        emitters,
        prices,
        suppressed=suppressed,
        baggage=baggage.reader(settings.baggage_keys),
        shapes=shapes,
        **options,
    )
