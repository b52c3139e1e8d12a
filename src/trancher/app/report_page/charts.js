// The charts. A primitive of our own draws everything that belongs to a position, because a
// position has as many lines as tranches and rungs, and one series each would not scale.

const { createChart, CandlestickSeries, LineSeries, AreaSeries } = LightweightCharts;

// `line` is the place of a level among those of a step; `over` says that a chart of all positions
// draws it, too; `name` is what stands at the edge for levels that lie outside.
const LAYERS = [
  { id: "tranches", label: "tranches with their number, by their life", color: "--tranche", dash: [], width: 2, over: true },
  { id: "average", label: "average entry", color: "--average", dash: [], width: 3, line: 1, over: true },
  { id: "breakEven", label: "break-even with fees", color: "--break-even", dash: [8, 4], width: 2, line: 2 },
  { id: "anchor", label: "anchor", color: "--anchor", dash: [2, 12], width: 8, line: 3 },
  { id: "losses", label: "stops", name: "stop", color: "--loss", dash: [10, 3, 2, 3], width: 1.5, line: 4 },
  { id: "gains", label: "gain rungs", name: "gain rung", color: "--gain", dash: [14, 5], width: 2, line: 5 },
  { id: "entries", label: "entry rungs", name: "entry rung", color: "--entry", dash: [2, 4], width: 2, line: 6 },
  { id: "marks", label: "entries \u25b2 and exits \u25bc", color: "--buy", dash: [], width: 0, over: true },
];
/** How far beyond the candles in view, in parts of their height, a line may stretch the scale. */
const NEAR = 0.5;
/** Pixels at either end of a time axis, so that its first and its last label are whole. */
const END_ROOM = 24;
const FONT = "11px system-ui, sans-serif";

const inks = new Map();

/** A colour of the theme in use; asking the style for it in every frame would cost a layout. */
function ink(name) {
  if (!inks.has(name)) inks.set(name, getComputedStyle(document.documentElement).getPropertyValue(name).trim());
  return inks.get(name);
}

/** Undo app/report_packing.py: [-1, ...] is a list, [n, ...] an object with the n-th set of keys. */
function unshaped(value, shapes) {
  if (!Array.isArray(value)) return value;
  const rest = value.slice(1).map((one) => unshaped(one, shapes));
  return value[0] < 0 ? rest
    : Object.fromEntries(shapes[value[0]].map((key, place) => [key, rest[place]]));
}

/** Undo the packing of bars: differences to times, and ticks to prices. */
function unpacked(bars, tick) {
  const size = Number(tick), digits = (tick.split(".")[1] || "").length;
  const value = (ticks) => Number((ticks * size).toFixed(digits));
  const made = [];
  let at = bars.at, close = 0;
  bars.close.forEach((_, place) => {
    // Without steps no bar is missing.
    if (place) at += (bars.step ? bars.step[place] : 1) * bars.interval;
    const open = close + bars.open[place];
    close += bars.close[place];
    made.push({
      time: at / 1000, open: value(open), close: value(close),
      high: value(Math.max(open, close) + bars.high[place]),
      low: value(Math.min(open, close) - bars.low[place]),
    });
  });
  return made;
}

/** The last place in sorted `values` whose `of` is at most `limit`; -1 where none is. */
function lastAtMost(values, limit, of = (one) => one) {
  let low = 0, high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (of(values[middle]) <= limit) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Draws lifelines, levels and marks over candles. Times are milliseconds. */
class Overlay {
  constructor() {
    this.bars = [];
    this.interval = 1;
    this.segments = [];
    this.byLayer = new Map();
    this.marks = [];
    this.hidden = new Set();
    this.fit = false;
    this.places = 2;
    this.placed = [];
  }

  attached({ chart, series, requestUpdate }) {
    Object.assign(this, { chart, series, redraw: requestUpdate });
  }

  show({ bars, interval, segments, marks, fit, places }) {
    const byLayer = new Map(LAYERS.map((layer) => [layer.id, []]));
    for (const one of segments) byLayer.get(one.layer).push(one);
    for (const part of byLayer.values()) part.sort((one, other) => one.from - other.from);
    marks.sort((one, other) => one.at - other.at);
    Object.assign(this, { bars, interval, segments, byLayer, marks, fit, places });
    this.redraw();
  }

  /** Where a time lies on the page; bars stand side by side, gaps between them have no room. */
  x(at) {
    const place = Math.max(lastAtMost(this.bars, at / 1000, (bar) => bar.time), 0);
    const within = (at - this.bars[place].time * 1000) / this.interval;
    const scale = this.chart.timeScale();
    const middle = scale.logicalToCoordinate(place);
    const part = Math.min(Math.max(within, 0), 1) - 0.5;
    return middle === null ? null : middle + part * scale.options().barSpacing;
  }

  /** Lines near the candles in view are made room for; those far away would squash them. */
  autoscaleInfo(first, last) {
    const seen = this.bars.slice(Math.max(Math.floor(first), 0), Math.ceil(last) + 1);
    if (!this.fit || !seen.length) return null;
    const low = seen.reduce((one, bar) => Math.min(one, bar.low), Infinity);
    const high = seen.reduce((one, bar) => Math.max(one, bar.high), -Infinity);
    const room = NEAR * (high - low);
    const prices = this.segments.filter((one) => !this.hidden.has(one.layer)
      && one.price >= low - room && one.price <= high + room).map((one) => one.price);
    return { priceRange: {
      minValue: prices.reduce((one, other) => Math.min(one, other), low),
      maxValue: prices.reduce((one, other) => Math.max(one, other), high),
    } };
  }

  paneViews() {
    const draw = (target) => target.useMediaCoordinateSpace((scope) => this.draw(scope));
    return [{ zOrder: () => "top", renderer: () => ({ draw }) }];
  }

  draw({ context, mediaSize }) {
    this.placed = [];
    const range = this.chart.timeScale().getVisibleLogicalRange();
    if (!this.bars.length || range === null) return;
    const bar = (logical) => this.bars[Math.min(Math.max(Math.floor(logical), 0), this.bars.length - 1)];
    const from = bar(range.from).time * 1000, to = bar(range.to + 1).time * 1000 + this.interval;
    for (const layer of LAYERS) {
      if (!this.hidden.has(layer.id)) this.drawLayer(context, layer, from, to);
    }
    context.setLineDash([]);
    if (!this.hidden.has("marks")) this.drawMarks(context, from, to);
    if (!this.fit) return;
    context.font = FONT;
    context.textBaseline = "middle";
    context.lineWidth = 3;
    context.strokeStyle = ink("--ground");
    if (!this.hidden.has("tranches")) this.drawNumbers(context, from, to, mediaSize);
    this.drawEdges(context, from, to, mediaSize);
  }

  /** The number of each tranche at the end of its line; where ends are close, side by side. */
  drawNumbers(context, from, to, { width }) {
    const taken = [];
    context.textAlign = "left";
    for (const one of this.byLayer.get("tranches")) {
      if (one.to < from || one.from > to) continue;
      const y = this.series.priceToCoordinate(one.price);
      let x = Math.min(this.x(Math.min(one.to, to)) + 5, width - 24);
      while (taken.some((spot) => Math.abs(spot.x - x) < 22 && Math.abs(spot.y - y) < 12)) x -= 22;
      taken.push({ x, y });
      this.write(context, `#${one.number}`, x, y, "--text");
    }
  }

  /** What lies above or below all that is shown, in words at that edge. */
  drawEdges(context, from, to, { width, height }) {
    context.textAlign = "right";
    let top = 10, bottom = height - 10;
    for (const layer of LAYERS.filter((one) => one.name && !this.hidden.has(one.id))) {
      const seen = this.byLayer.get(layer.id).filter((one) => one.to >= from && one.from <= to);
      const above = seen.filter((one) => this.series.priceToCoordinate(one.price) < 0);
      const below = seen.filter((one) => this.series.priceToCoordinate(one.price) > height);
      if (above.length) this.write(context, `\u2191 ${this.told(layer, above)}`, width - 6, top, layer.color);
      if (below.length) this.write(context, `\u2193 ${this.told(layer, below)}`, width - 6, bottom, layer.color);
      top += above.length ? 15 : 0;
      bottom -= below.length ? 15 : 0;
    }
  }

  told(layer, segments) {
    const prices = segments.map((one) => one.price).sort((one, other) => one - other);
    const low = this.format(prices[0]), high = this.format(prices[prices.length - 1]);
    return low === high ? `${layer.name} ${low}` : `${layer.name}s ${low} to ${high}`;
  }

  format(value) {
    return rounded(value.toFixed(this.places), this.places);
  }

  /** Text with a rim of the ground, so that no line runs through it. */
  write(context, text, x, y, color) {
    context.strokeText(text, x, y);
    context.fillStyle = ink(color);
    context.fillText(text, x, y);
  }

  drawLayer(context, layer, from, to) {
    const part = this.byLayer.get(layer.id), stop = lastAtMost(part, to, (one) => one.from);
    context.strokeStyle = ink(layer.color);
    context.lineWidth = layer.width;
    context.setLineDash(layer.dash);
    context.beginPath();
    for (let place = 0; place <= stop; place += 1) {
      const one = part[place];
      if (one.to < from) continue;
      const y = this.series.priceToCoordinate(one.price);
      const left = this.x(Math.max(one.from, from)), right = this.x(Math.min(one.to, to));
      context.moveTo(left, y);
      context.lineTo(Math.max(right, left + 1), y);
      if (one.rise !== undefined && one.to <= to) {
        context.moveTo(right, y);
        context.lineTo(right, this.series.priceToCoordinate(one.rise));
      }
    }
    context.stroke();
  }

  drawMarks(context, from, to) {
    const first = lastAtMost(this.marks, from - 1, (one) => one.at) + 1;
    const stop = lastAtMost(this.marks, to, (one) => one.at) + 1;
    const seen = this.marks.slice(first, stop);
    context.strokeStyle = ink("--ground");
    context.lineWidth = 1;
    for (const [side, color, down] of [["buy", "--buy", 1], ["sell", "--sell", -1]]) {
      context.fillStyle = ink(color);
      context.beginPath();
      const taken = new Map();
      for (const mark of seen) {
        if (mark.side !== side) continue;
        // A buy points up to its price from below, a sale down to it from above.
        const x = this.x(mark.at), y = this.series.priceToCoordinate(mark.price) + down * 2;
        // What would lie on a mark that is there already is not seen, and costs as much.
        const spot = Math.round(x / 3) * 65536 + Math.round(y / 3);
        if (taken.has(spot)) {
          taken.get(spot).push(mark);
          continue;
        }
        const marks = [mark];
        taken.set(spot, marks);
        const base = y + down * mark.size * 1.6;
        context.moveTo(x, y);
        context.lineTo(x - mark.size, base);
        context.lineTo(x + mark.size, base);
        context.lineTo(x, y);
        this.placed.push({ x, y: (y + base) / 2, reach: mark.size, marks });
      }
      context.fill();
      // An edge tells marks apart; where there are hundreds it only darkens them.
      if (seen.length < 400) context.stroke();
    }
  }

  /** The marks in the spot nearest to a point, none where none is within `reach` of its edge. */
  at(point, reach) {
    let best = [], least = Infinity;
    for (const one of this.placed) {
      const far = Math.hypot(one.x - point.x, one.y - point.y);
      if (far < least && far <= one.reach + reach) [best, least] = [one.marks, far];
    }
    return best;
  }
}

const charts = [];

/** Show all of a chart of so many points, with room for whole labels at both ends. */
function fitAll({ chart, place, length }) {
  const width = place.clientWidth - chart.priceScale("right").width() - 2 * END_ROOM;
  const beside = Math.max(END_ROOM * length() / Math.max(width, 1), 0);
  chart.timeScale().setVisibleLogicalRange({ from: -0.5 - beside, to: length() - 0.5 + beside });
}

function paint(chart) {
  chart.applyOptions({
    layout: { background: { color: ink("--ground") }, textColor: ink("--quiet"), panes: { separatorColor: ink("--edge") } },
    grid: { vertLines: { color: ink("--grid") }, horzLines: { color: ink("--grid") } },
    timeScale: { borderColor: ink("--edge") },
    rightPriceScale: { borderColor: ink("--edge") },
  });
}

function repaint() {
  inks.clear();
  for (const { chart, colors } of charts) {
    paint(chart);
    for (const color of colors) color();
  }
}

const keys = {
  ArrowLeft: ({ from, to }) => [from - (to - from) / 10, to - (to - from) / 10],
  ArrowRight: ({ from, to }) => [from + (to - from) / 10, to + (to - from) / 10],
  "+": ({ from, to }) => [from + (to - from) / 8, to - (to - from) / 8],
  "=": ({ from, to }) => keys["+"]({ from, to }),
  "-": ({ from, to }) => [from - (to - from) / 6, to + (to - from) / 6],
};

/** A chart in the element `id`, which the keyboard moves too. `series`: [type, options, colors]. */
function chartIn(id, options = {}) {
  const place = document.getElementById(id);
  const chart = createChart(place, {
    autoSize: true,
    layout: { attributionLogo: id === "price", fontSize: 12 },
    timeScale: { timeVisible: true, secondsVisible: false, minBarSpacing: 0.05 },
    localization: { locale: "en-GB" },
    handleScroll: { vertTouchDrag: false },
    // The wheel moves the page; a chart that takes it traps whoever scrolls past.
    handleScale: { mouseWheel: false },
    ...options,
  });
  place.addEventListener("keydown", (event) => {
    const range = chart.timeScale().getVisibleLogicalRange();
    if (event.key === "0") fitAll(known);
    else if (keys[event.key] && range) {
      const [from, to] = keys[event.key](range);
      chart.timeScale().setVisibleLogicalRange({ from, to });
    } else return;
    event.preventDefault();
  });
  const known = { chart, place, colors: [], shown: null };
  known.length = () => (known.shown ? known.shown.data().length : 0);
  charts.push(known);
  paint(chart);
  known.add = (type, options, colors) => {
    const series = chart.addSeries(type, options);
    const color = () => series.applyOptions(colors());
    known.colors.push(color);
    color();
    known.shown = series;
    return series;
  };
  return known;
}
