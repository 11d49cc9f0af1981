"""Which price a model call has: the best one that is known, or the figure that the provider gave."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from fnmatch import fnmatchcase
from typing import Any, Final

from litespan.charging import LOCAL, charge
from litespan.guard import guard
from litespan.price_hours import depends_on_hour, prices_at
from litespan.price_table import Price, given_price, number, table_price
from litespan.providers import provider_family
from litespan.records import Cost, ModelCall, Standing
from litespan.setting_checks import parse_price
from litespan.settings import Settings

PROVIDER: Final = "provider"
UNSPLIT: Final = "unsplit"

TableLookup = Callable[[str], Mapping[str, Any] | None]
# Keys of the price table that were looked up, and copies of what was found.
Consulted = list[tuple[str, Mapping[str, Any] | None]]

_CACHE_SIZE: Final = 1024
_VERSION: Final = re.compile(r"[-@:](\d{4}-\d{2}-\d{2}|\d{8}|\d{6}|\d{4}|\d{3})")
_VERSIONS: Final = re.compile(
    r"(?:[-@:](?:\d{4}-\d{2}-\d{2}|\d{8}|\d{6}|\d{4}|\d{3}|latest)|-v\d+(?::\d+)?)+$"
)
_OWNERS: Final = re.compile(r"^(?:.*/)?(?:[a-z-]+\.)*")
_BEDROCK_HOST: Final = re.compile(r"bedrock-runtime(?:-fips)?\.([a-z0-9-]+)\.amazonaws\.com")


class Owner(Enum):
    """Who put the prices into an entry of LiteLLM's table."""

    LITELLM = "litellm"
    CHANGED = "changed"  # the program, into one of LiteLLM's entries
    ADDED = "added"  # the program, under a name that LiteLLM does not list


class PriceBook:
    """Prices calls. Safe to share between threads; never raises on odd prices or counts.

    ``lookup`` returns an entry of LiteLLM's price table by its key, in USD per token; ``origin`` names that
    table for those who read the figures, as in ``"litellm 1.83.0 price table"``. ``owner`` says of a key and
    its entry who put the prices there.
    """

    def __init__(
        self,
        settings: Settings,
        lookup: TableLookup,
        origin: str,
        owner: Callable[[str, Mapping[str, Any]], Owner] = lambda _key, _entry: Owner.LITELLM,
    ) -> None:
        self.origin = origin
        self._lookup = lookup
        self._owner = owner
        self._given = {name: given_price(price) for name, price in settings.prices.items()}
        self._patterns = [(name, price) for name, price in self._given.items() if "*" in name]
        self._hook = settings.price_hook
        self._gives_prices = bool(self._given or self._hook)
        self._parsed: dict[tuple[str | None, ...], tuple[Consulted, Price | None]] = {}
        self._standings: dict[tuple[str | None, str | None], Standing] = {}

    def cost(self, call: ModelCall) -> Cost | None:
        """Return the cost of a call in USD, ``None`` where it is not known.

        The first that applies: a hit of LiteLLM's own cache or a mock (0), the price given on the model, in
        the settings, or by the price hook, the provider's or proxy's own figure, a price that LiteLLM got
        with the call, LiteLLM's price table.
        """
        if call.cache_hit or call.mocked:
            return Cost(0.0, LOCAL)
        if self._gives_prices or call.price is not None:
            price = self._given_price(call)
            if price is not None and (cost := charge(price, call.usage)):
                return cost
        # A proxy answers a stream before it knows the cost and then says 0.
        if own := number(call.provider_cost):
            return Cost(own, PROVIDER, by_class={UNSPLIT: own})
        if call.usage is None:
            return None
        price = self._listed_price(call)
        return None if price is None else charge(price, call.usage)

    def standing(self, call: ModelCall) -> Standing:
        """Return how well the model of a call is known; the answer for a name is kept for a while.

        The price hook is not asked, but what it has answered for the cost of a call is remembered.
        """
        if call.price is not None:
            return Standing.CONFIGURED
        known = self._standings.get((call.litellm_provider, call.model))
        if known is None:
            known = self._remember(call.litellm_provider, call.model, self._look_up_standing(call))
        return known

    def _look_up_standing(self, call: ModelCall) -> Standing:
        if self._price_in_settings(call) is not None:
            return Standing.CONFIGURED
        return Standing.UNKNOWN if self._listed_price(call) is None else Standing.PRICED

    def _remember(self, provider: str | None, model: str | None, standing: Standing) -> Standing:
        if len(self._standings) >= _CACHE_SIZE:
            self._standings.clear()
        self._standings[provider, model] = standing
        return standing

    def _given_price(self, call: ModelCall) -> Price | None:
        if call.price is not None:
            return given_price(call.price)
        if not call.model:
            return None
        if (price := self._price_in_settings(call)) is not None:
            return price
        return self._hooked_price(call.model, call.litellm_provider)

    def _price_in_settings(self, call: ModelCall) -> Price | None:
        if not call.model or not self._given:
            return None
        full_name = f"{call.litellm_provider}/{call.model}" if call.litellm_provider else call.model
        if (price := self._given.get(full_name) or self._given.get(call.model)) is not None:
            return price
        names = (full_name, call.model)
        return next((p for pattern, p in self._patterns if _matches(pattern, names)), None)

    def _hooked_price(self, model: str, provider: str | None) -> Price | None:
        """Ask the user's function; where it fails, that is reported and the next source of prices is used."""
        price = None
        if self._hook is not None:
            with guard("price_hook"):
                if (answer := self._hook(model, provider)) is not None:
                    price = given_price(parse_price("price_hook", answer))
                    self._remember(provider, model, Standing.CONFIGURED)
        return price

    def _listed_price(self, call: ModelCall) -> Price | None:
        """Return the price that came with the call, or that in LiteLLM's table.

        Of the table, the last answer is taken if the entries that gave it are unchanged.
        """
        if call.table_entry is not None:
            return table_price(call.model or "", call.table_entry, _tier(call), free_if_zero=True)
        slot = (call.litellm_provider, call.model, call.response_model, _tier(call), call.server_address)
        known = self._parsed.get(slot)
        if known is not None and self._are_unchanged(known[0]):
            return known[1]
        consulted: Consulted = []
        price = self._look_up(call, consulted)
        if any(depends_on_hour(entry) for _, entry in consulted):
            return price
        if len(self._parsed) >= _CACHE_SIZE:
            self._parsed.clear()
        self._parsed[slot] = (consulted, price)
        return price

    def _are_unchanged(self, consulted: Consulted) -> bool:
        for key, entry in consulted:  # noqa: SIM110 - `all` would make a generator for one or two of them
            if self._lookup(key) != entry:
                return False
        return True

    def _look_up(self, call: ModelCall, consulted: Consulted) -> Price | None:
        """Price a call as what was asked for, unless what answered is known to cost something else."""
        if not call.model:
            return None
        asked = self._entry_price(call.model, call, consulted)
        key, entry = consulted[-1]  # what priced it, if anything did
        answer = _answered(call)
        if not answer:
            return asked
        before = len(consulted)
        answered = self._entry_price(answer, call, consulted)
        listed = any(found is not None for _, found in consulted[before:])
        if answered == asked or (answered is None and (not listed or _are_akin(answer, call.model))):
            return asked
        owner = Owner.LITELLM if asked is None or entry is None else self._owner(key, entry)
        # A dated version is what the provider bills. Any other name is that of another model: what was asked
        # for is an alias then, and what it costs is for its owner to say, not for the model behind it. A
        # price that the program has put into the table says it.
        if _is_version(answer, call.model):
            return asked if owner is Owner.CHANGED else answered
        return None if owner is Owner.LITELLM else asked

    def _entry_price(self, model: str, call: ModelCall, consulted: Consulted) -> Price | None:
        for key in _table_keys(model, call.litellm_provider, _region(call.server_address)):
            entry = self._lookup(key)
            consulted.append((key, dict(entry) if isinstance(entry, Mapping) else None))
            if isinstance(entry, Mapping) and _same_family(entry, call.litellm_provider):
                prices = prices_at(entry, call.end_ns)
                return None if prices is None else table_price(key, prices, _tier(call))
        return None


def _matches(pattern: str, names: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for name in names)


def _tier(call: ModelCall) -> str | None:
    """Return the service tier that answered; the one that was asked for where the answer names none."""
    asked = call.parameters.get("service_tier")
    return call.service_tier or (asked if isinstance(asked, str) else None)


def _answered(call: ModelCall) -> str:
    """Return the model that answered, if it is not the one that was asked for."""
    name = (call.response_model or "").removeprefix(f"{call.litellm_provider}/")
    longer, shorter = sorted((name, call.model or ""), key=len, reverse=True)
    # Regions and owners in front of a name are often left out on one side.
    return "" if longer == shorter or longer.endswith(f"/{shorter}") else name


def _is_version(answered: str, model: str) -> bool:
    stem = model.removesuffix("-latest")
    return answered.startswith(stem) and _VERSION.fullmatch(answered, len(stem)) is not None


def _are_akin(name: str, other: str) -> bool:
    """Say whether two names may be one model's: resellers put words around a name, and drop its date."""
    return _stem(name) in other or _stem(other) in name


def _stem(name: str) -> str:
    """Return a model's name without owners, regions and versions."""
    bare = _VERSIONS.sub("", _OWNERS.sub("", name))
    return bare or name


def _region(host: str | None) -> str | None:
    """Return the region of Amazon Bedrock that was called: some have prices of their own."""
    found = _BEDROCK_HOST.fullmatch(host or "")
    return found[1] if found else None


def _table_keys(model: str, provider: str | None, region: str | None) -> Iterator[str]:
    if region:
        yield f"{provider}/{region}/{model}"
    if provider:
        yield f"{provider}/{model}"
        if (family := provider_family(provider)) != provider:
            yield f"{family}/{model}"
    yield model
    if model.startswith("ft:"):  # ft:{base}:{organisation}:{name}:{id} has the price of ft:{base}
        yield ":".join(model.split(":")[:2])


def _same_family(entry: Mapping[str, Any], provider: str | None) -> bool:
    """Tell whether an entry is this provider's.

    Without a provider the name alone decides: LiteLLM finds the provider of a bare name by the same table.
    """
    owner = entry.get("litellm_provider")
    return not provider or not isinstance(owner, str) or provider_family(owner) == provider_family(provider)
