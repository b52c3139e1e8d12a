// The page: reads the one JSON value in this file and lays it out. It requests nothing.

const data = JSON.parse(document.getElementById("data").textContent);
const said = unshaped(data.document.packed, data.document.shapes), counted = said.report, quote = counted.quote;
const byId = (id) => document.getElementById(id);
const at = (iso) => Date.parse(iso);
const bots = said.bots.map((bot) => bot.bot);
const positionsOf = (bot) => said.positions.filter((one) => one.bot === bot);

// ---- head

function head() {
  const files = Object.values(said.assumptions.candles);
  const first = files.map((one) => one.first_at).sort()[0];
  const last = files.map((one) => one.last_at).sort().pop();
  const symbols = Object.keys(said.assumptions.candles).join(", ");
  byId("name").textContent = data.title;
  byId("about").textContent = `${day(first)} to ${day(last)} \u00b7 `
    + `${symbols} \u00b7 ${several(bots.length, "bot")}: ${bots.join(", ")} \u00b7 `
    + `configuration ${said.assumptions.config_hash.slice(0, 12)}`;
  const kpis = [
    ["Realized P&L, net of fees", gain(said.realized_pnl), quote, said.realized_pnl, tone(said.realized_pnl)],
    ["Unrealized P&L, net of entry fees", gain(said.unrealized_net), quote, said.unrealized_net, tone(said.unrealized_net)],
    ["Fees paid", amount(said.fees_paid), quote, said.fees_paid, ""],
    ["Equity at the end", amount(counted.equity_at_end), `${quote}, of ${amount(counted.cash_at_start)} at the start`, counted.equity_at_end, ""],
    ...(isZero(said.dust_cost) ? [] : [["Cost of dust", amount(said.dust_cost),
      `${quote}, left over, too small to sell; in no P&L, and out of equity`, said.dust_cost, ""]]),
    ["Deepest drawdown", percent(counted.performance.max_drawdown), "of the peak", counted.performance.max_drawdown, ""],
    ["Entries / exits", `${count(said.entries)} / ${count(said.exits)}`, "orders", "", ""],
  ];
  byId("kpis").append(...kpis.map(([name, value, unit, full, color]) => make("div", {},
    make("dt", {}, name),
    make("dd", {}, make("span", { class: `number ${color}`, title: full }, value), " ", make("small", {}, unit)))));
}

function theme() {
  const choice = byId("theme"), dark = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    document.documentElement.dataset.theme = choice.value || (dark.matches ? "dark" : "light");
    repaint();
  };
  choice.addEventListener("change", apply);
  dark.addEventListener("change", apply);
  apply();
}

function warnings() {
  byId("warnings").append(...said.warnings.map((one) => make("p", { class: "warning" }, `Warning: ${one}.`)));
}

/** What each bot came to, beside what its symbol did. */
function summary() {
  const rows = said.bots.map((bot) => ({ ...bot, ...counted.bots.find((one) => one.bot === bot.bot) }));
  byId("bots").append(table("Bots", `What each bot came to, amounts in ${quote}`, [
    word("bot", (row) => row.bot),
    profit("realized net", "realized_pnl"),
    profit("unrealized net", "unrealized_net"),
    number("win rate", (row) => percent(row.win_rate), (row) => row.win_rate),
    number("closed positions", (row) => count(row.closed)),
    number("won", (row) => count(row.won)),
    number("exits", (row) => count(row.exits)),
    money("fees paid", "fees_paid"),
    word("symbol", (row) => row.symbol),
    number("buy and hold", (row) => gainedPercent(row.buy_and_hold), (row) => row.buy_and_hold, (row) => row.buy_and_hold),
  ], rows), make("p", { class: "quiet" }, "Win rate: closed positions that realized more than nothing, net, of all "
    + "closed ones. Buy and hold: what the price of the symbol did from the open of its first candle to its last close, "
    + "before fees; whoever had put money in at the start and kept it would have gained that much of it. A bot puts in "
    + "only a part of the cash at a time, so the one is no measure of the other, but tells what market it was. Bots share "
    + "one cash, so a drawdown is told of all of them together only."));
}

// ---- positions

const POINTER_REACH = 6, FINGER_REACH = 20;
const price_chart = chartIn("price");
const candles = price_chart.add(CandlestickSeries,
  { priceLineVisible: false, lastValueVisible: false, borderVisible: false },
  () => ({ upColor: ink("--candle-up"), downColor: ink("--candle-down"),
           wickUpColor: ink("--candle-up"), wickDownColor: ink("--candle-down") }));
const overlay = new Overlay();
candles.attachPrimitive(overlay);

/** The plans of a bot: one, or one for each of its strategies, of which one may be meant. */
const plansOf = (bot, strategy) => counted.plans.filter((one) =>
  one.bot === bot && (!strategy || !one.strategy || one.strategy === strategy));

/** A rung with when it buys; what no rung of the plan is stays as it is. */
function rungInWords(bot, reason, strategy) {
  const rung = plansOf(bot, strategy).flatMap((one) => one.rungs).find((one) => one.reason === reason);
  return rung ? `${reason} (${rung.when})` : reason;
}

function marksOf(position) {
  const buys = position.position_tranches.map((one) => ({
    side: "buy", at: at(one.entry_timestamp), price: Number(one.entry_price), worth: Number(one.size_quote),
    words: `${time(one.entry_timestamp)}: bought ${quantity(one.quantity)} at ${price(one.entry_price)} for `
      + `${amount(one.size_quote)} ${quote} as ${one.id}, because of ${rungInWords(position.bot, one.reason, position.strategy)}`
      + (one.score === null ? "" : `; score ${quantity(one.score)}, ${one.temperature}`)
      + `. ${position.position_id}.`,
  }));
  const sales = position.exits.map((one) => ({
    side: "sell", at: at(one.timestamp), price: Number(one.price), worth: Number(one.cost_consumed),
    words: `${time(one.timestamp)}: sold ${quantity(one.quantity)} at ${price(one.price)}, because of `
      + `${one.reason}; realized ${gain(one.realized_pnl)} ${quote}: `
      + `${one.matches.map((match) => `${match.tranche} ${gain(match.realized_pnl)}`).join(", ")}. ${position.position_id}.`,
  }));
  return [...buys, ...sales];
}

function lifelinesOf(position, ends) {
  return position.position_tranches.map((one) => ({
    layer: "tranches", number: one.id.replace("tranche_", ""), price: Number(one.entry_price), from: at(one.entry_timestamp),
    to: one.closed_at === null ? ends : at(one.closed_at),
  }));
}

/** Steps of one line become segments, each with the price that the next one jumps to. */
function levelsOf(position, ends, layers) {
  const steps = data.lines[position.position_id], made = [];
  steps.forEach((step, place) => {
    const next = steps[place + 1], from = step[0], to = next ? next[0] : ends;
    for (const layer of layers) {
      const value = step[layer.line];
      if (Array.isArray(value)) {
        for (const one of value) made.push({ layer: layer.id, price: Number(one), from, to });
      } else if (value !== null) {
        const after = next ? next[layer.line] : null;
        const rise = after === null || after === value ? undefined : Number(after);
        made.push({ layer: layer.id, price: Number(value), from, to, rise });
      }
    }
  });
  return made;
}

function sized(marks, least, more) {
  const most = marks.reduce((one, mark) => Math.max(one, mark.worth), 0);
  for (const mark of marks) mark.size = most ? least + more * Math.sqrt(mark.worth / most) : least;
  return marks;
}

function showAll(bot) {
  const { symbol } = said.bots.find((one) => one.bot === bot);
  const { tick, bars, ends_at } = data.charts[symbol], positions = positionsOf(bot);
  const average = LAYERS.filter((layer) => layer.id === "average");
  draw(symbol, tick, bars, {
    segments: positions.flatMap((one) => [...lifelinesOf(one, ends_at), ...levelsOf(one, ends_at, average)]),
    marks: sized(positions.flatMap(marksOf), 2, 2), fit: false,
  });
  byId("story").textContent = positions.length
    ? `All ${count(positions.length)} positions of ${bot} on ${symbol}. Choose one for its lines, for what each tranche earned, by every disposal rule, and for what was refused.`
    : `${bot} bought nothing on ${symbol}. What kept it from buying is under Refusals.`;
  byId("events").replaceChildren(...(positions.length ? [positionTable(positions)] : []), ...plansOf(bot).map(planTable));
}

function positionTable(positions) {
  return table("Positions", `Positions, amounts in ${quote}; realized and unrealized are never added up`, [
    word("position", (row) => make("button", { type: "button", onclick: () => choose(row.position_id) }, row.position_id)),
    profit("realized net", "realized_pnl"),
    number("of put in", (row) => gainedPercent(row.realized_return_on_money_put_in), (row) => row.realized_return_on_money_put_in),
    profit("unrealized net", "unrealized_net"),
    money("put in", "money_put_in"),
    number("tranches", (row) => count(row.position_tranches.length)),
    number("held for", (row) => length(row.seconds_held)),
    word("from (UTC)", (row) => time(row.entered_at)),
    word("to (UTC)", (row) => (row.closed_at === null ? row.position_status : time(row.closed_at))),
    long("closed because of", (row) => row.closing_reason ?? WIDE_DASH),
    long("not bought", (row) => blocked(row, false).join("; ") || WIDE_DASH),
  ], positions, 10);
}

function showOne(position) {
  const { tick, ends_at } = data.charts[position.symbol];
  const ends = position.closed_at === null ? ends_at : at(position.closed_at);
  const levels = LAYERS.filter((layer) => layer.line);
  const marks = marksOf(position);
  draw(position.symbol, tick, data.positions[position.position_id], {
    segments: [...lifelinesOf(position, ends), ...levelsOf(position, ends, levels)],
    marks: sized(marks, 4, 4), fit: true,
  });
  const open = Number(position.open_quantity) > 0;
  byId("story").textContent = `${position.position_id} on ${position.symbol}, ${position.position_status}: `
    + `${several(position.position_tranches.length, "tranche")} for ${amount(position.money_put_in)} ${quote}, `
    + `held for ${length(position.seconds_held)}. Realized ${gain(position.realized_pnl)} ${quote}, net.`
    + (open ? ` Still open: ${quantity(position.open_quantity)} at an average of ${price(position.average_entry_price)}, `
      + `break-even ${price(position.break_even_price)}; unrealized ${gain(position.unrealized_net)} ${quote}, net.` : "");
  const refused = refusedOf(position.position_id);
  byId("story").textContent += losersOf(position) + blockedOf(position);
  const steps = marks.sort((one, other) => one.at - other.at || (one.side < other.side ? -1 : 1));
  byId("events").replaceChildren(table("Entries and exits", "Entries and exits, in order of time", [
    word("", (row) => (row.side === "buy" ? "\u25b2 entry" : "\u25bc exit")),
    long("what happened (UTC)", (row) => row.words),
  ], steps), trancheTable(position),
  ...(refused.length ? [refusedTable(refused, "Refused in this position",
    "What was due and not done, each rung with all that stood against it")] : []),
    ...plansOf(position.bot, position.strategy).map(planTable));
}

const refusedOf = (id) => counted.refused.filter((one) => one.position_id === id);

function losersOf(position) {
  const lost = position.position_tranches.filter((one) => tone(one.realized_pnl) === "down");
  return lost.length ? ` Sold at a loss: ${lost.map((one) => `${one.id} (${gain(one.realized_pnl)})`).join(", ")}.` : "";
}

/** Rungs that were refused, with the codes; `late` are those that were bought all the same, later. */
function blocked(position, late) {
  const codes = new Map();
  for (const one of refusedOf(position.position_id)) {
    const bought = position.position_tranches.some((tranche) =>
      tranche.reason === one.reason && at(tranche.entry_timestamp) >= at(one.first_at));
    if (one.kind !== "entry" || bought !== late) continue;
    const known = codes.get(one.reason) ?? new Set();
    for (const reason of one.refusals) known.add(reason.code);
    codes.set(one.reason, known);
  }
  return [...codes].map(([reason, why]) => `${reason} (${[...why].join(", ")})`);
}

function blockedOf(position) {
  const never = blocked(position, false), late = blocked(position, true);
  return (never.length ? ` Not bought: ${never.join("; ")}.` : "")
    + (late.length ? ` Bought later than due: ${late.join("; ")}.` : "");
}

/** What each tranche of a position earned, and what it would have earned under the other rules. */
function trancheTable(position) {
  const rules = new Map(counted.tranches_by_rule
    .filter((one) => one.position_id === position.position_id).map((one) => [one.tranche, one]));
  const rows = position.position_tranches.map((one) => ({ ...rules.get(one.id), ...one }));
  return table("Tranches of this position", `Its tranches, amounts in ${quote}. Its books are kept by ${position.disposal}; `
    + "beside it what the same sales would have realized, net, had each other rule chosen what they sold", [
    word("tranche", (row) => row.id),
    profit("realized net", "realized_pnl"),
    ...["fifo", "lifo", "hifo", "average"].map((rule) =>
      profit(rule === position.disposal ? `${rule} (kept)` : `by ${rule}`, rule)),
    profit("unrealized net", "unrealized_net"),
    money("cost", "size_quote"),
    number("price", (row) => price(row.entry_price), (row) => row.entry_price),
    long("because of", (row) => rungInWords(position.bot, row.reason, position.strategy)),
  ], rows);
}

function refusedTable(rows, name, caption, portion_size = 20) {
  return table(name, caption, [
    long("due", (row) => rungInWords(row.bot, row.reason)),
    number("times", (row) => count(row.count)),
    long("what stood against it, at first", (row) => row.sentence),
    word("first at (UTC)", (row) => time(row.first_at)),
    word("last at", (row) => time(row.last_at)),
    number("price at first", (row) => price(row.price), (row) => row.price),
    word("position", (row) => row.position_id),
  ], rows, portion_size);
}

function planTable(plan) {
  const who = plan.strategy ? `${plan.bot}, ${plan.strategy},` : plan.bot;
  return make("details", {}, make("summary", {}, `What ${who} was told to do`),
    table("Plan", `Its entry rungs, sizes in ${quote}`, [
      word("rung", (row) => row.reason),
      long("buys when", (row) => row.when),
      long("limited by", (row) => row.bound ?? WIDE_DASH),
      money("size", "size"),
    ], plan.rungs), make("ul", {}, ...plan.lines.map((line) => make("li", {}, line))));
}

function draw(symbol, tick, bars, shown) {
  // The candles may know a coarser step than the one that orders are priced in.
  const { price_tick } = counted.instruments.find((one) => one.symbol === symbol);
  const places = Math.max(...[tick, price_tick].map((one) => (one.split(".")[1] || "").length));
  candles.applyOptions({ priceFormat: { type: "price", precision: places, minMove: 10 ** -places } });
  const drawn = unpacked(bars, tick);
  candles.setData(drawn);
  overlay.show({ bars: drawn, interval: bars.interval, places, ...shown });
  fitAll(price_chart);
  offer(shown.fit);
  byId("told").textContent = "";
}

function choose(id) {
  const position = said.positions.find((one) => one.position_id === id);
  byId("position").value = id;
  moved();
  byId("h-positions").scrollIntoView();
  byId("position").focus({ preventScroll: true });
  return position;
}

function moved() {
  const choice = byId("position"), id = choice.value;
  byId("before").disabled = choice.selectedIndex <= 0;
  byId("after").disabled = choice.selectedIndex >= choice.options.length - 1;
  if (id) showOne(said.positions.find((one) => one.position_id === id));
  else showAll(byId("bot").value);
  byId("price").setAttribute("aria-label", `Price chart: ${byId("story").textContent}`);
}

function positions() {
  const bot = byId("bot"), choice = byId("position");
  bot.append(...bots.map((name) => make("option", { value: name }, name)));
  const list = () => {
    choice.replaceChildren(make("option", {}, "all of them"),
      ...positionsOf(bot.value).map((one) =>
        make("option", { value: one.position_id }, `${one.position_id}, ${day(one.entered_at)}`)));
    choice.options[0].value = "";
    moved();
  };
  bot.addEventListener("change", list);
  choice.addEventListener("change", moved);
  const turn = (by) => () => { choice.selectedIndex += by; moved(); };
  byId("before").addEventListener("click", turn(-1));
  byId("after").addEventListener("click", turn(1));
  layers();
  const told = (reach) => ({ point }) => {
    byId("told").textContent = point ? overlay.at(point, reach).map((one) => one.words).join(" ") : "";
  };
  price_chart.chart.subscribeCrosshairMove(told(POINTER_REACH));
  // A finger that only taps moves no crosshair.
  price_chart.chart.subscribeClick(told(FINGER_REACH));
  list();
}

const boxes = new Map();

function layers() {
  for (const layer of LAYERS) {
    const box = make("input", { type: "checkbox" });
    box.addEventListener("change", () => {
      if (box.checked) overlay.hidden.delete(layer.id);
      else overlay.hidden.add(layer.id);
      overlay.redraw();
    });
    boxes.set(layer, box);
    byId("layers").append(make("label", {}, box, sample(layer), layer.label));
  }
}

/** What the chart of all positions does not draw cannot be ticked there, and is not. */
function offer(one) {
  for (const [layer, box] of boxes) {
    box.disabled = !one && !layer.over;
    box.checked = !box.disabled && !overlay.hidden.has(layer.id);
    box.parentElement.classList.toggle("off", box.disabled);
    box.parentElement.title = box.disabled ? "drawn where one position is chosen" : "";
  }
}

function sample(layer) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 30 14");
  svg.setAttribute("aria-hidden", "true");
  const line = document.createElementNS("http://www.w3.org/2000/svg", layer.width ? "line" : "path");
  if (layer.width) {
    for (const [name, value] of [["x1", 1], ["x2", 29], ["y1", 7], ["y2", 7], ["stroke-width", layer.width], ["stroke-dasharray", layer.dash.join(" ")]]) line.setAttribute(name, value);
    line.style.stroke = `var(${layer.color})`;
  } else {
    line.setAttribute("d", "M8 2 L14 12 L2 12 Z M22 12 L28 2 L16 2 Z");
    line.style.fill = "var(--text)";
  }
  svg.append(line);
  return svg;
}
