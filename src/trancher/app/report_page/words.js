// Figures as text. Money stays text from the data to the page: nothing here adds, rounds through
// a float, or makes markup of a name.

const WIDE_DASH = "\u2013", MINUS = "\u2212", THIN = "\u00a0";

const isZero = (text) => !/[1-9]/.test(text);

/** Round decimal text half to even, as Python does, to `places`; give digits with commas. */
function rounded(text, places) {
  const negative = text.startsWith("-");
  const [whole, part = ""] = text.replace("-", "").split(".");
  let units = BigInt(whole + part.slice(0, places).padEnd(places, "0"));
  const rest = part.slice(places);
  const half = /^50*$/.test(rest);
  if (rest !== "" && (half ? units % 2n === 1n : rest[0] >= "5")) units += 1n;
  const digits = units.toString().padStart(places + 1, "0");
  const cut = digits.length - places;
  const commas = digits.slice(0, cut).replace(/\B(?=(\d{3})+$)/g, ",");
  // What is a little below nothing says so.
  const sign = negative && !isZero(text) ? MINUS : "";
  return sign + commas + (places ? "." + digits.slice(cut) : "");
}


/** Whether 0 < |text| < 0.01: such an amount takes more places, so as not to look like nothing. */
const isTiny = (text) => !isZero(text) && /^-?0\.00/.test(text);

const amount = (text) => (text === null ? WIDE_DASH : rounded(text, isTiny(text) ? 8 : 2));
const price = (text) => (text === null ? WIDE_DASH : rounded(text, /^0\./.test(text) ? 8 : 2));
const quantity = (text) => (text === null ? WIDE_DASH
  : rounded(text, 8).replace(/0+$/, "").replace(/\.$/, ""));

/** An amount that may be gained or lost: its sign is always there, so colour never tells alone. */
function gain(text) {
  const shown = amount(text);
  return text === null || isZero(text) || shown.startsWith(MINUS) ? shown : "+" + shown;
}

/** A ratio as a percentage: the decimal point moves two places, in text. */
function percent(text) {
  if (text === null) return WIDE_DASH;
  const negative = text.startsWith("-");
  const [whole, part = ""] = text.replace("-", "").split(".");
  const padded = part.padEnd(2, "0");
  const moved = (whole + padded.slice(0, 2)).replace(/^0+(?=\d)/, "") + "." + (padded.slice(2) || "0");
  return rounded((negative ? "-" : "") + moved, 2) + THIN + "%";
}

/** A ratio that may be gained or lost, with its sign. */
const gainedPercent = (text) => (tone(text) === "up" ? "+" : "") + percent(text);

const tone = (text) => (text === null || isZero(text) ? "" : text.startsWith("-") ? "down" : "up");
const count = (number) => String(number).replace(/\B(?=(\d{3})+$)/g, ",");
const several = (number, noun) => count(number) + " " + noun + (number === 1 ? "" : "s");
/** RFC 3339 as people read it, to the second. */
const time = (iso) => (iso === null ? WIDE_DASH : iso.slice(0, 19).replace("T", " "));
const day = (iso) => iso.slice(0, 10);
/** A statistic: a float, or nothing. */
const ratio = (number, places = 2) =>
  number === null ? WIDE_DASH : number.toFixed(places).replace("-", MINUS);

function length(seconds) {
  if (seconds === null) return WIDE_DASH;
  const parts = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
  const first = parts.findIndex(([, size]) => seconds >= size);
  if (first < 0) return "0 s";
  return parts.slice(first, first + 2).map(([unit, size], place) => {
    const whole = Math.floor((place ? seconds % parts[first][1] : seconds) / size);
    return whole ? whole + THIN + unit : "";
  }).filter(Boolean).join(" ");
}

/** Make an element; children are elements, or texts that stay text. */
function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === "" || value === false) continue;
    if (name === "onclick") made.addEventListener("click", value);
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

/** Columns: [heading, row => cell, kind]. A cell is text, or an element. */
const word = (heading, of) => ({ heading, of, kind: "word" });
const long = (heading, of) => ({ heading, of, kind: "word long" });
/** Two words, one above the other where there is little room; neither is broken itself. */
const broken = (heading, of) => ({ heading, kind: "word broken",
  of: (row) => make("div", {}, ...of(row).flatMap((one) => [make("span", {}, one), " "])) });
const number = (heading, of, full = null, toned = null) => ({ heading, of, full, toned, kind: "" });
const money = (heading, key) => number(heading, (row) => amount(row[key]), (row) => row[key]);
const profit = (heading, key) =>
  number(heading, (row) => gain(row[key]), (row) => row[key], (row) => row[key]);

function cell(column, row) {
  const made = make("td", { class: column.kind }, column.of(row));
  // What is rounded for the eye is whole under the pointer.
  if (column.full && column.full(row) !== null) made.title = column.full(row);
  if (column.toned && tone(column.toned(row))) made.classList.add(tone(column.toned(row)));
  return made;
}

/** What scrolls sideways, in a frame that shows on which side there is more. */
function edged(scroll, inside) {
  const frame = make("div", { class: "edged" }, scroll);
  const look = () => {
    const hidden = scroll.scrollWidth - scroll.clientWidth;
    frame.classList.toggle("more-left", scroll.scrollLeft > 1);
    frame.classList.toggle("more-right", hidden - scroll.scrollLeft > 1);
  };
  scroll.addEventListener("scroll", look, { passive: true });
  const sizes = new ResizeObserver(look);
  sizes.observe(scroll);
  sizes.observe(inside);
  return frame;
}

/** A table whose rows come in portions, so that thousands of them cost nothing unseen. */
function table(name, caption, columns, rows, portion_size = 50) {
  const body = make("tbody");
  const head = make("tr", {}, ...columns.map((column) =>
    make("th", { scope: "col", class: column.kind.split(" ")[0] }, column.heading)));
  const made = make("table", { "aria-label": name }, make("thead", {}, head), body);
  const scroll = make("div", { class: "scroll", role: "region", tabindex: "0", "aria-label": name }, made);
  const box = make("div", {}, make("p", { class: "quiet" }, caption), edged(scroll, made));
  let shown = 0;
  const more = make("button", { type: "button", class: "more", onclick: () => grow() });
  function grow() {
    const portion = rows.slice(shown, shown + portion_size);
    body.append(...portion.map((row) =>
      make("tr", {}, ...columns.map((column) => cell(column, row)))));
    shown += portion.length;
    more.textContent = `Show ${Math.min(portion_size, rows.length - shown)} more; ${count(shown)} of ${count(rows.length)} are shown`;
    if (shown >= rows.length) more.remove();
    else box.append(more);
  }
  grow();
  return box;
}
