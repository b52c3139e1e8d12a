"""The core alone: two tranches, a partial exit, the P&L; then P&L of a plain JSON document."""

from datetime import UTC, datetime
from decimal import Decimal as D

import trancher as t

btc = t.Instrument(symbol="BTC/USD", price_tick=D("0.01"), quantity_step=D("0.00000001"))
held = t.new_position(position_id="mine-1", bot="mine", instrument=btc, disposal=t.Disposal.FIFO)
fills = (("buy", "50000", "0.0005"), ("buy", "49500", "0.00070707"), ("sell", "55000", "0.0006"))
for hour, (side, price, quantity) in enumerate(fills):
    at = datetime(2025, 9, 3, hour, tzinfo=UTC)
    fill = t.Fill(trade_id=str(hour), side=t.Side(side), price=D(price), quantity=D(quantity),
                  fee=D(0), fee_asset="USD", at=at)  # fmt: skip
    held = (t.record_entry if side == "buy" else t.record_exit)(held, fill)
said = t.figures(held.book, taker_fee=D("0.001"), mark_price=D(56000))
print(held.state, "realized", said.realized_pnl, "unrealized", said.unrealized_pnl)
document = {"id": "tranche_1", "size_usd": "25.00", "entry_price": "50000", "quantity": "0.0005"}
print(t.unrealized_pnl_of(document, D(51000)), t.realized_pnl_of(document, D(52000)))
