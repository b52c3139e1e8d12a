"""The configuration that `trancher init` writes: small, commented, and ready to be checked."""

from typing import Final

STARTER: Final = """\
# A configuration of Trancher. `trancher check trancher.toml` says what it means.
# A rung is one planned step in or out; a tranche is what one entry has bought.
# Ratios are written "10%" or 0.10, durations "15m", "4h", "7d".
# "off" means no limit, 0 means none allowed, an absent key means its default.

[portfolio]
name = "main"
quote = "USD"                # every symbol below is quoted in it
cash = 1000
timezone = "UTC"             # where the day of max_daily_trades begins
max_active_positions = 2     # over all bots
max_daily_trades = 10        # entries and exits; exits are counted and never refused

[exchange]
name = "paper"               # simulated; live trading is not available in this version

[instrument."BTC/USD"]       # absent keys: no minimums, fees of 0.1 % each
min_notional = 5
maker_fee = "0.1%"
taker_fee = "0.1%"

[backtest]
evaluate = "intracandle"     # or "close": look at prices on closes only
same_candle = "worst"        # order of events inside a candle; or "best", "path"
slippage = "0%"

[[bot]]
name = "btc-dca"
symbol = "BTC/USD"
timeframe = "1h"

[bot.limits]
max_position_size = 100      # quote
max_tranches = 3
min_tranche_size = 10
max_tranche_size = 50
tranche_cooldown = "15m"     # from the last entry fill to the next entry
reserve_funds = "ladder"     # keep cash for all rungs to come; or "next", "none"

[bot.entry]
plan = "dca"                 # or "ladder", "rungs"
size = 25                    # quote, or a share of max_position_size such as "25%"
every = "7d"                 # since the last entry
# drop = "3%"                # below the last entry; with `every`, both must hold
# rebuild = true             # go on buying after a partial exit; else not until all is sold

[bot.exit]
take_profit = [
  {gain = "5%", sell = "50%"},   # of the largest quantity held; measured from the
  {gain = "10%", sell = "rest"},  # anchor: the average cost, moved by entries only
]
stop_loss = "15%"            # below the anchor: sell all; a new position may begin at once
# time_stop = "90d"          # after the first entry: sell all
disposal = "fifo"            # which tranches a sale consumes; or "lifo", "hifo", "average"
"""
