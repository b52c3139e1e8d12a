"""A small model of the backtest of one bot, written from the specification alone.

It looks at every candle, and inside one at every price on the tick, on fractions, and shares no
code with what it judges.

Invariants:
1. Exits are asked before entries; no limit is asked about an exit.
2. What is decided at a close fills at the next open; what is touched fills where it is touched.
3. Inside a candle losses come first, then at most one entry, then gains unless an entry filled.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from backtest.model_words import (
    BASE,
    DAY,
    QUOTE,
    ZERO,
    Candle,
    Fill,
    Held,
    Order,
    Rules,
    floored,
    raised,
)


@dataclass
class Record:
    """A decision, or a run of refusals that repeat."""

    key: object
    kind: str
    first_at: int
    last_at: int
    codes: frozenset[str]


class Model:
    """Plays the candles."""

    def __init__(self, rules: Rules, candles: Sequence[Candle]) -> None:
        self.rules, self.candles = rules, candles
        self.cash = rules.cash
        self.one = Held(number=1)
        self.fills: list[Fill] = []
        self.records: list[Record] = []
        self._trades: Counter[int] = Counter()
        self._entered_at: int | None = None
        self._waiting: Order | None = None
        self._dust = ZERO  # of positions that are over

    def run(self) -> None:
        """Play every candle; what would be decided at the last close cannot fill."""
        for number, candle in enumerate(self.candles, start=1):
            waiting, self._waiting = self._waiting, None
            if waiting is not None:
                self._fill(waiting, candle.open, candle.at)
            if self.rules.inside:
                self._inside(candle)
            if number < len(self.candles):
                price = None if self.rules.inside else candle.close
                self._close(candle.close, price, candle.at + self.rules.interval)

    # ---- a close

    def _close(self, close: Fraction, price: Fraction | None, at: int) -> None:
        one, rules = self.one, self.rules
        if one.held:
            if one.closing is not None:
                again = one.closing if one.closing in {"stop", "time"} else "again"
                return self._sell_all(again, close, at, touched=False)
            if price is not None and self._stopped(price):
                return self._sell_all("stop", close, at, touched=False)
            if rules.time_stop is not None and at - one.entered_at >= rules.time_stop:
                return self._sell_all("time", close, at, touched=False)
            if price is not None and self._sell_gains(price, at, touched=False):
                return None
        due = [r for r in self._unused() if rules.rungs[r].when(one, price, at)]
        if due:
            self._ask(due[0], close, at, touched=False)
        return None

    # ---- inside a candle

    def _inside(self, candle: Candle) -> None:
        within = candle.at + self.rules.interval - 1
        self._lose(candle, candle.open, candle.at)
        entered = self._enter(candle, within)
        if entered is None:
            self._gain(candle, within)
        else:
            self._lose(candle, entered, candle.at if entered == candle.open else within)

    def _path(self, start: Fraction, end: Fraction) -> Iterator[Fraction]:
        """Yield `start`, then every price on the tick on the way to `end`."""
        yield start
        tick = self.rules.tick
        price = floored(start, tick) + tick if end > start else raised(start, tick) - tick
        while start <= price <= end or end <= price <= start:
            yield price
            price += tick if end > start else -tick

    def _lose(self, candle: Candle, start: Fraction, start_at: int) -> None:
        if not self.one.held or self.one.closing is not None or self.rules.stop is None:
            return
        within = candle.at + self.rules.interval - 1
        for price in self._path(start, candle.low):
            if self._stopped(price):
                self._sell_all("stop", price, start_at if price == start else within, touched=True)
                return

    def _enter(self, candle: Candle, within: int) -> Fraction | None:
        if not self.one.held or not self._unused():
            return None
        for end in (candle.high, candle.low):
            before: set[int] = set()
            for price in self._path(candle.open, end):
                at = candle.at if price == candle.open else within
                tipped = self._tipped(price, at)
                fresh = price == candle.open and end == candle.high and bool(tipped)
                if fresh or (price != candle.open and set(tipped) - before):
                    bought = len(self.one.entries)
                    self._ask(tipped[0], price, at, touched=True)
                    if len(self.one.entries) > bought:
                        return price
                before = set(self._tipped(price, within))
        return None

    def _tipped(self, price: Fraction, at: int) -> list[int]:
        """Return the rungs that are due at this price, and would not be without a price."""
        whens = {rung: self.rules.rungs[rung].when for rung in self._unused()}
        return [
            rung
            for rung, when in whens.items()
            if when(self.one, price, at) and not when(self.one, None, at)
        ]

    def _gain(self, candle: Candle, within: int) -> None:
        if not self._due_gains(candle.high):
            return
        before: set[int] = set()
        for price in self._path(candle.open, candle.high):
            due = self._due_gains(price)
            if set(due) - before:
                at = candle.at if price == candle.open else within
                self._sell_gains(price, at, touched=True)
            before = set(due)

    # ---- ways out

    def _stopped(self, price: Fraction) -> bool:
        stop, one = self.rules.stop, self.one
        return stop is not None and price * one.held <= one.anchor_cost * (1 - stop)

    def _due_gains(self, price: Fraction) -> list[int]:
        one = self.one
        if not one.held or one.closing is not None:
            return []
        return [
            index
            for index, (gain, _) in enumerate(self.rules.gains)
            if one.left.get(index) != 0 and price * one.held >= one.anchor_cost * (1 + gain)
        ]

    def _wanted(self, index: int) -> Fraction:
        share, one = self.rules.gains[index][1], self.one
        whole = one.held if share is None else min(one.peak * share, one.held)
        return one.left.get(index, floored(whole, self.rules.step))

    def _sell_gains(self, price: Fraction, at: int, *, touched: bool) -> bool:
        """Sell what the gains due at `price` want; return whether an order went out."""
        due = self._due_gains(price)
        if not due:
            return False
        wanted = {index: self._wanted(index) for index in due}
        sellable = floored(self.one.held, self.rules.step)
        quantity = min(sum(wanted.values(), ZERO), sellable)
        if quantity < sellable and not self._takes(sellable - quantity, price):
            quantity = sellable
        kind = "gain " + "+".join(map(str, due))
        if not self._takes(quantity, price):
            self._say("exit", kind, at, self._too_small(quantity, price))
            return False
        self.one.left |= wanted
        full = quantity == sellable
        if full:
            quantity = self._all()
        self.one.closing = kind if full else None
        self._place(
            Order(
                kind=kind,
                amount=quantity,
                serves=tuple(due),
                maker=touched,
                full=full,
                decided_at=at,
                price=price,
            ),
            touched=touched,
        )
        return True

    def _sell_all(self, kind: str, price: Fraction, at: int, *, touched: bool) -> None:
        quantity = self._all()
        if not self._takes(quantity, price):
            self._say("exit", None, at, frozenset())
            self._over()
            return
        self.one.closing = kind
        order = Order(kind=kind, amount=quantity, full=True, decided_at=at, price=price)
        self._place(order, touched=touched)

    def _all(self) -> Fraction:
        """Return what a full exit sells: what is held, and what earlier positions left over."""
        return floored(self.one.held + self._dust, self.rules.step)

    # ---- ways in

    def _unused(self) -> list[int]:
        """Return the rungs that may be used; a ladder that has ended asks for nothing."""
        one, rules = self.one, self.rules
        ended = one.active and not one.building and not rules.rebuild
        if ended or one.closing is not None:
            return []
        return [i for i, rung in enumerate(rules.rungs) if one.uses[i] < rung.repeat]

    def _ask(self, rung: int, price: Fraction, at: int, *, touched: bool) -> None:
        size = self.rules.rungs[rung].size
        codes = frozenset(self._against(rung, size, price, at))
        self._say("entry", rung, at, codes)
        if codes:
            return
        one = self.one
        one.active = one.building = True
        one.uses[rung] += 1
        order = Order(kind="entry", amount=size, rung=rung, decided_at=at, price=price)
        self._place(order, touched=touched)

    def _against(self, rung: int, size: Fraction, price: Fraction, at: int) -> Iterator[str]:
        rules, one = self.rules, self.one
        if rules.max_position is not None and one.anchor_cost + size > rules.max_position:
            yield "MAX_POSITION_SIZE"
        if rules.max_tranches is not None and len(one.entries) + 1 > rules.max_tranches:
            yield "MAX_TRANCHES"
        if rules.min_tranche is not None and size < rules.min_tranche:
            yield "MIN_TRANCHE_SIZE"
        if rules.max_tranche is not None and size > rules.max_tranche:
            yield "MAX_TRANCHE_SIZE"
        if self._entered_at is not None and at < self._entered_at + rules.cooldown:
            yield "COOLDOWN"
        if rules.max_active is not None and not one.active and rules.max_active < 1:
            yield "MAX_ACTIVE_POSITIONS"
        unfired = sum(one.left.get(index) != 0 for index in range(len(rules.gains)))
        kept = {"one": 1, "ladder": max(unfired, 1), "none": 0}[rules.exit_reserve]
        if rules.max_daily is not None and self._trades[at // DAY] + 1 + kept > rules.max_daily:
            yield "MAX_DAILY_TRADES"
        if (size + self._set_aside(rung, size)) * (1 + rules.taker) > self.cash:
            yield "INSUFFICIENT_FUNDS"
        yield from self._too_small(floored(size / price, rules.step), price)

    def _set_aside(self, rung: int, size: Fraction) -> Fraction:
        """Return the money of the rungs that still fit once this one is bought, fees excluded."""
        rules, total = self.rules, ZERO
        held, tranches = self.one.anchor_cost + size, len(self.one.entries) + 1
        for index, other in enumerate(rules.rungs):
            for _ in range(other.repeat - self.one.uses[index] - (index == rung)):
                fits = (
                    (rules.max_tranches is None or tranches < rules.max_tranches)
                    and (rules.max_tranche is None or other.size <= rules.max_tranche)
                    and (rules.min_tranche is None or other.size >= rules.min_tranche)
                    and (rules.max_position is None or held + other.size <= rules.max_position)
                )
                if fits and rules.reserve != "none":
                    total, held, tranches = total + other.size, held + other.size, tranches + 1
                    if rules.reserve == "next":
                        return total
        return total

    # ---- orders

    def _takes(self, quantity: Fraction, price: Fraction) -> bool:
        return quantity > 0 and not self._too_small(quantity, price)

    def _too_small(self, quantity: Fraction, price: Fraction) -> frozenset[str]:
        rules, codes = self.rules, set[str]()
        if quantity < max(rules.min_quantity, rules.step):
            codes.add("MIN_QUANTITY")
        if quantity * price < rules.min_notional:
            codes.add("MIN_NOTIONAL")
        return frozenset(codes)

    def _place(self, order: Order, *, touched: bool) -> None:
        if not order.buys:
            self.one.building = False
            self._say("exit", None, order.decided_at, frozenset())
        self._trades[order.decided_at // DAY] += 1
        if touched:
            self._fill(order, order.price, order.decided_at)
        else:
            self._waiting = order

    def _fill(self, order: Order, price: Fraction, at: int) -> None:
        rules = self.rules
        if order.buys:
            met = raised(price * (1 + rules.slippage), rules.tick)
            quantity = floored(order.amount / met, rules.step)
        else:
            worse = price if order.maker else price * (1 - rules.slippage)
            met = max(floored(worse, rules.tick), rules.tick)
            quantity = order.amount
        if not self._takes(quantity, met):
            self._rejected(order)
            return
        self.fills.append(Fill(at, "buy" if order.buys else "sell", met, quantity, _kind(order)))
        (self._bought if order.buys else self._sold)(order, met, quantity, at)

    def _rejected(self, order: Order) -> None:
        self._trades[order.decided_at // DAY] -= 1
        if order.buys:
            self.one.uses[order.rung] -= 1
            if not self.one.entries:
                self._over()

    def _bought(self, _: Order, price: Fraction, quantity: Fraction, at: int) -> None:
        one, rules = self.one, self.rules
        self.cash -= price * quantity
        if rules.fee_in_base:
            quantity -= raised(quantity * rules.taker, BASE)
        else:
            self.cash -= raised(price * quantity * rules.taker, QUOTE)
        one.entered_at = one.entered_at or at
        one.last_at = self._entered_at = at
        one.entries.append(price)
        one.held += quantity
        one.anchor_cost += price * quantity
        one.peak = max(one.peak, one.held)

    def _sold(self, order: Order, price: Fraction, quantity: Fraction, _: int) -> None:
        one, rules = self.one, self.rules
        ratio = rules.maker if order.maker else rules.taker
        self.cash += price * quantity - raised(price * quantity * ratio, QUOTE)
        of_held = min(quantity, one.held)
        self._dust -= quantity - of_held
        one.anchor_cost -= floored(one.anchor_cost * of_held / one.held, QUOTE)
        one.held -= of_held
        given = quantity
        for index in order.serves:
            part = min(given, one.left[index])
            one.left[index], given = one.left[index] - part, given - part
        if not one.held or (order.full and not self._takes(floored(one.held, rules.step), price)):
            self._over()

    def _over(self) -> None:
        self._dust += self.one.held
        self.one = Held(number=self.one.number + 1)

    # ---- records

    def _say(self, kind: str, reason: object, at: int, codes: frozenset[str]) -> None:
        key = (kind, self.one.number, reason, codes)
        if codes and self.records and self.records[-1].key == key:
            self.records[-1].last_at = at
        else:
            self.records.append(Record(key, kind, at, at, codes))


def _kind(order: Order) -> str:
    return f"entry {order.rung}" if order.buys else order.kind
