// What stands below the charts, in tables; then everything is set going.

/** An area is read by its height, so its scale holds the zero that it stands on. */
function withZero(original) {
  const said = original();
  if (said === null) return null;
  const { minValue, maxValue } = said.priceRange;
  return { ...said, priceRange: { minValue: Math.min(minValue, 0), maxValue: Math.max(maxValue, 0) } };
}

/** A percentage on an axis. The library's own format takes its hundredths for tenths. */
const PERCENT_AXIS = { type: "custom", minMove: 0.01,
  formatter: (value) => value.toFixed(2).replace("-", isZero(value.toFixed(2)) ? "" : MINUS) + THIN + "%" };

function curves() {
  const { curve } = data, { performance } = counted;
  const points = (key) => curve.at.map((when, place) => ({ time: when / 1000, value: Number(curve[key][place]) }));
  const plain = { priceLineVisible: false, lineWidth: 2 };
  const equity = chartIn("curve");
  equity.add(LineSeries, plain, () => ({ color: ink("--average") })).setData(points("equity"));
  byId("curve-words").textContent = `From ${amount(counted.cash_at_start)} to ${amount(counted.equity_at_end)} ${quote}: cash and what is held, `
    + "valued at closes.";
  const water = chartIn("water");
  water.add(AreaSeries, { ...plain, invertFilledArea: true, autoscaleInfoProvider: withZero, priceFormat: PERCENT_AXIS },
    () => ({ lineColor: ink("--loss"), topColor: ink("--loss") + "10", bottomColor: ink("--loss") + "50" }))
    .setData(points("drawdown").map((one) => ({ ...one, value: one.value ? -100 * one.value : 0 })));
  byId("water-words").textContent = isZero(performance.max_drawdown) ? "Equity never fell below a peak."
    : `Deepest: ${percent(performance.max_drawdown)} of the peak of ${time(performance.peak_at)}, at the close of ${time(performance.lowest_at)} (UTC). `
    + `Longest time below a peak: ${length(performance.longest_under_water_seconds)}, ${performance.recovered ? "made good" : "not made good at the end"}.`;
  const capital = chartIn("capital");
  const both = points("used").map((one, place) => ({ ...one, value: one.value + Number(curve.reserved[place]) }));
  capital.add(AreaSeries, { ...plain, lineWidth: 1, lastValueVisible: false, autoscaleInfoProvider: withZero },
    () => ({ lineColor: ink("--break-even"), topColor: ink("--break-even") + "30", bottomColor: ink("--break-even") + "30" })).setData(both);
  capital.add(AreaSeries, { ...plain, lineWidth: 1, lastValueVisible: false, autoscaleInfoProvider: withZero },
    () => ({ lineColor: ink("--average"), topColor: ink("--average") + "70", bottomColor: ink("--average") + "70" })).setData(points("used"));
  byId("capital-words").append(`In ${quote}. `, swatch("--average"), " used: cost of what is held, fees excluded. ",
    swatch("--break-even"), " reserved, on top of it: for working orders and for rungs to come, fees included. "
    + "Each point is the moment of its stretch with the most of both.");
  for (const one of [equity, water, capital]) fitAll(one);
}

function swatch(color) {
  const made = make("span", { class: "swatch", "aria-hidden": "true" });
  made.style.background = `var(${color})`;
  return made;
}

function section(id, title, ...parts) {
  const heading = make("h2", { id: `h-${id}` }, title);
  byId("tables").append(make("section", { "aria-labelledby": `h-${id}` }, heading, ...parts));
}

const nothing = (words) => make("p", { class: "quiet" }, words);

function tranches() {
  const rows = said.positions.flatMap((position) =>
    position.position_tranches.map((one) => ({ ...one, position: position.position_id })));
  section("tranches", "Tranches", rows.length ? table("Tranches", `Every tranche, amounts in ${quote}, times UTC`, [
    broken("position and tranche", (row) => [row.position, row.id]),
    profit("realized net", "realized_pnl"),
    profit("unrealized net", "unrealized_net"),
    word("opened", (row) => time(row.entry_timestamp)),
    word("closed", (row) => (row.closed_at === null ? row.status.replace("_", " ") : time(row.closed_at))),
    number("price", (row) => price(row.entry_price), (row) => row.entry_price),
    number("bought", (row) => quantity(row.quantity), (row) => row.quantity),
    number("left", (row) => quantity(row.open_quantity), (row) => row.open_quantity),
    money("cost", "size_quote"),
    money("entry fee", "entry_fee"),
    profit("realized gross", "realized_gross"),
    number("score", (row) => (row.score === null ? WIDE_DASH : quantity(row.score)), (row) => row.score),
    word("temperature", (row) => row.temperature ?? WIDE_DASH),
    long("because of", (row) => row.reason),
  ], rows, 20) : nothing("Nothing was bought."));
}

function exits() {
  section("exits", "Exits by rung", counted.exits_by_rung.length ? table("Exits by rung", `Who sold, amounts in ${quote}`, [
    word("bot", (row) => row.bot),
    long("because of", (row) => row.reason),
    profit("realized net", "realized_pnl"),
    number("exits", (row) => count(row.exits)),
    money("cost consumed", "cost_consumed"),
    profit("realized gross", "realized_gross"),
  ], counted.exits_by_rung) : nothing("Nothing was sold."));
}

function refusals() {
  const rows = Object.entries(said.refusals).map(([code, times]) => ({ code, times }));
  const most = rows.reduce((one, row) => Math.max(one, row.times), 0);
  section("refusals", "Refusals: entries and steps not taken", rows.length
    ? table("Refusals", "Refused evaluations by reason; one with two reasons counts for both", [
      word("code", (row) => row.code),
      number("times", (row) => count(row.times)),
      { heading: "", kind: "word share-cell", of: (row) => {
        const bar = make("span", { class: "share", "aria-hidden": "true" });
        bar.style.width = `${(100 * row.times) / most}%`;
        return bar;
      } },
      long("meaning", (row) => data.meanings[row.code]),
    ], rows) : nothing("Nothing was refused."),
  ...(rows.length ? [refusedTable(counted.refused, "Refused rungs",
    "Each rung that was refused, by position, with all that stood against it")] : []));
}

function groups() {
  const kinds = [
    ["number", "By tranche number", "tranche"], ["signal", "By signal: what added most to the score at entry", "signal"],
    ["temperature", "By temperature at entry", "temperature"], ["reason", "By entry rung", "because of"],
    ["hour", `By hour of entry (${counted.timezone})`, "hour"],
  ];
  const made = kinds.map(([key, title, heading]) => make("div", {}, make("h3", {}, title),
    counted.groups[key].length ? table(title, `Amounts in ${quote}`, [
      word(heading, (row) => (key === "hour" && row.tranches ? `${row.key}:00` : row.key)),
      profit("realized net", "realized_pnl"),
      profit("unrealized net", "unrealized_net"),
      profit("realized gross", "realized_gross"),
      number("tranches", (row) => count(row.tranches)),
      money("cost", "cost"),
    ], counted.groups[key]) : nothing("Nothing was bought.")));
  section("groups", "P&L by tranche", make("div", { class: "two" }, ...made));
}

function months() {
  section("months", "Months", table("Months", `Months of ${counted.timezone}, amounts in ${quote}; the change of equity holds realized and unrealized`, [
    word("month", (row) => row.month),
    profit("realized net", "realized_pnl"),
    profit("change of equity", "change"),
    number("of equity at the start", (row) => gainedPercent(row.change_return), (row) => row.change_return),
    money("equity at the end", "equity"),
    number("entries", (row) => count(row.entries)),
    number("exits", (row) => count(row.exits)),
    profit("realized gross", "realized_gross"),
  ], counted.months, 24));
}

function rules() {
  const kept = new Map(said.bots.map((bot) => [bot.bot, bot.disposal]));
  section("rules", "Disposal rules side by side", nothing("The same fills, booked by each rule. A rule moves profit between "
    + "tranches, and between realized, unrealized and dust; no order and no decision depends on it. "
    + "What it makes of each tranche stands under Positions: choose one."),
  table("Disposal rules", `All bots together, then each, amounts in ${quote}`, [
    word("bot", (row) => row.bot ?? "all"),
    word("rule", (row) => row.disposal + (kept.get(row.bot) === row.disposal ? ", kept" : "")),
    profit("realized net", "realized_pnl"),
    profit("unrealized net", "unrealized_net"),
    profit("realized gross", "realized_gross"),
    money("open cost", "open_cost"),
    money("cost of dust", "dust_cost"),
  ], counted.disposal_rules));
}

function performance() {
  const said = counted.performance;
  const asPercent = (value) => (value === null ? WIDE_DASH : ratio(100 * value) + THIN + "%");
  const rows = [
    ["Sharpe ratio", ratio(said.sharpe), `mean of ${count(said.days)} daily returns / their sample standard deviation \u00d7 \u221a365, riskless rate 0`],
    ["Sortino ratio", ratio(said.sortino), "mean of daily returns / root of the mean square of the negative ones over all days \u00d7 \u221a365"],
    ["Return a year", asPercent(said.yearly_return), "(equity at the end / cash at the start) ^ (365 / days) \u2212 1"],
    ["Calmar ratio", ratio(said.calmar), "return a year / deepest drawdown at any close"],
    ["Deepest drawdown", percent(said.max_drawdown), `of the peak of equity; from ${time(said.peak_at)} to ${time(said.lowest_at)} UTC`],
    ["Longest time to recover", length(said.longest_under_water_seconds), said.recovered ? "from a peak of equity to the close that reached it again" : "from a peak of equity; not reached again by the end"],
  ];
  section("performance", "Performance", table("Performance", `On the daily equity of the whole portfolio, days of ${counted.timezone}; returns are over the equity of the day before. A dash: there is nothing to divide by.`, [
    word("figure", (row) => row[0]), number("value", (row) => row[1]), long("formula and denominator", (row) => row[2]),
  ], rows));
}

function assumptions() {
  section("assumptions", "Assumptions", make("ul", {}, ...said.assumptions.sentences.map((one) => make("li", {}, one))),
    ...said.warnings.map((one) => make("p", {}, `Warning: ${one}.`)),
    nothing("The books balance to the last digit."),
    table("Instruments", "Fees, steps and minimums", [
      word("symbol", (row) => row.symbol),
      number("maker fee", (row) => percent(row.maker_fee), (row) => row.maker_fee),
      number("taker fee", (row) => percent(row.taker_fee), (row) => row.taker_fee),
      word("fee of a buy in", (row) => row.fee_in),
      number("price tick", (row) => row.price_tick),
      number("quantity step", (row) => row.quantity_step),
      number("least quantity", (row) => row.min_quantity),
      number("least notional", (row) => row.min_notional),
    ], counted.instruments));
  section("configuration", "Configuration", make("p", {}, `Of portfolio ${counted.portfolio}, hash `, make("code", {}, said.assumptions.config_hash)),
    make("details", {}, make("summary", {}, "Show all of it"), make("pre", { tabindex: "0" }, data.configuration)));
}

function contents() {
  byId("contents").append(...[...document.querySelectorAll("h2")].map((heading) =>
    make("a", { href: `#${heading.id}` }, heading.textContent.split(/[:,]/)[0])));
}

// The theme is first, so that every chart is drawn in its colours at once.
for (const part of [theme, head, warnings, summary, positions, curves, tranches, exits, refusals, groups, months,
  rules, performance, assumptions, contents]) part();
