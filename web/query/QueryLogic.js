// What the query page computes: data in, data out, no document and no network.
//
//   address ─▶ panels ─▶ request ─▶ answer ─▶ columns [times, values, values …] ─▶ graph
//
// Times and spans are seconds as numbers, unless a name says otherwise.

// MARK: Durations and times

const units = [['y', 31536000], ['w', 604800], ['d', 86400], ['h', 3600], ['m', 60], ['s', 1], ['ms', 0.001]];

/// '1h30m', '500ms', '90' (seconds) → seconds; undefined where the text is no positive duration.
export function parseDuration(text) {
  const trimmed = text.trim();
  if (/^\d+(\.\d+)?$/.test(trimmed)) return Number(trimmed) > 0 ? Number(trimmed) : undefined;
  if (!/^(\d+(ms|[ywdhms]))+$/.test(trimmed)) return undefined;
  let seconds = 0;
  for (const [, count, unit] of trimmed.matchAll(/(\d+)(ms|[ywdhms])/g)) {
    seconds += Number(count) * units.find(([name]) => name === unit)[1];
  }
  return seconds > 0 && Number.isFinite(seconds) ? seconds : undefined;
}

/// 5400 → '1h30m'. Milliseconds are the finest.
export function formatDuration(seconds) {
  let rest = Math.round(seconds * 1000);
  if (!(rest > 0)) return '0s';
  let text = '';
  for (const [name, size] of units) {
    if (name === 'y' || name === 'w') continue;
    const count = Math.floor(rest / (size * 1000));
    rest -= count * size * 1000;
    if (count > 0) text += `${count}${name}`;
  }
  return text;
}

/// The ranges that − and + step through.
export const ranges = [60, 300, 900, 1800, 3600, 7200, 21600, 43200, 86400, 172800, 604800, 1209600, 2419200, 4838400, 31536000];

/// The next range that is longer (`direction` 1) or shorter (−1); the same one at the ends.
export function nextRange(seconds, direction) {
  if (direction > 0) return ranges.find((range) => range > seconds) ?? seconds;
  return ranges.findLast((range) => range < seconds) ?? seconds;
}

/// Seconds since the epoch → 'YYYY-MM-DD HH:MM:SS' in UTC or in the reader's zone.
export function formatTime(seconds, isUTC) {
  const date = new Date(Math.round(seconds * 1000));
  if (Number.isNaN(date.getTime())) return String(seconds);
  const two = (number) => String(number).padStart(2, '0');
  const parts = isUTC
    ? [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate(), date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()]
    : [date.getFullYear(), date.getMonth(), date.getDate(), date.getHours(), date.getMinutes(), date.getSeconds()];
  return `${String(parts[0]).padStart(4, '0')}-${two(parts[1] + 1)}-${two(parts[2])} ${parts.slice(3).map(two).join(':')}`;
}

/// The reverse, with parts of the time left out at will; also seconds since the epoch. undefined where it is no time.
export function parseTime(text, isUTC) {
  const trimmed = text.trim();
  if (/^\d{9,}(\.\d+)?$/.test(trimmed)) return Number(trimmed);
  const match = /^(\d{4})-(\d{1,2})-(\d{1,2})(?:[ T](\d{1,2})(?::(\d{1,2})(?::(\d{1,2}))?)?)?(Z)?$/.exec(trimmed);
  if (!match) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part) => Number(part ?? 0));
  if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 59) return undefined;
  const date = isUTC || match[7]
    ? new Date(Date.UTC(year, month - 1, day, hour, minute, second)) : new Date(year, month - 1, day, hour, minute, second);
  return date.getTime() / 1000;
}

/// Steps of about 250 per graph, as upstream has them: whole seconds, at least one.
export const automaticStep = (range) => Math.max(Math.floor(range / 250), 1);

// MARK: Panels and the address

export const emptyPanel = { expr: '', tab: 'table', range: 3600, end: undefined, step: undefined, stacked: false };

/// Reads upstream's parameters, those of its old pages and of its new ones. Times in an address are UTC.
///
///   ?g0.expr=up&g0.tab=0&g0.range_input=1h&g1.expr=…   →   [{ expr: 'up', tab: 'graph', range: 3600, … }, …]
export function panelsFromAddress(search) {
  const panels = new Map();
  for (const [key, value] of new URLSearchParams(search)) {
    const match = /^g(\d{1,3})\.(\w+)$/.exec(key);
    if (!match) continue;
    const number = Number(match[1]);
    if (!panels.has(number)) panels.set(number, { ...emptyPanel });
    read(panels.get(number), match[2], value);
  }
  return [...panels].sort(([a], [b]) => a - b).slice(0, 50).map(([, panel]) => panel);
}

function read(panel, name, value) {
  switch (name) {
    case 'expr': panel.expr = value; break;
    case 'tab': panel.tab = value === '0' || value === 'graph' ? 'graph' : value === 'explain' ? 'explain' : 'table'; break;
    case 'range_input': panel.range = parseDuration(value) ?? panel.range; break;
    case 'end_input': case 'moment_input': panel.end = parseTime(value, true) ?? panel.end; break;
    case 'step_input': case 'res_step': panel.step = parseDuration(value) ?? panel.step; break;
    case 'stacked': panel.stacked = value === '1' || value === 'true'; break;
    case 'display_mode': panel.stacked = value === 'stacked'; break;
  }
}

/// The reverse of `panelsFromAddress`; what has its default is left out.
export function addressOfPanels(panels) {
  const parts = new URLSearchParams();
  panels.forEach((panel, number) => {
    const add = (name, value) => parts.append(`g${number}.${name}`, value);
    add('expr', panel.expr);
    add('tab', panel.tab === 'graph' ? '0' : panel.tab === 'explain' ? 'explain' : '1');
    if (panel.stacked) add('display_mode', 'stacked');
    add('range_input', formatDuration(panel.range));
    if (panel.end !== undefined) {
      add('end_input', formatTime(panel.end, true));
      add('moment_input', formatTime(panel.end, true));
    }
    if (panel.step !== undefined) {
      add('res_type', 'custom');
      add('res_step', String(panel.step));
    }
  });
  return `?${parts}`;
}

/// What to ask for a graph: `end` is now where the panel has none.
export function rangeRequest(panel, now) {
  const end = panel.end ?? now;
  return { expr: panel.expr, start: end - panel.range, end, step: panel.step ?? automaticStep(panel.range) };
}

// MARK: Answers to columns

/// The API's text of a number: 'NaN', '+Inf', '-Inf', '1e+06' → number.
export function parseNumber(text) {
  if (text === '+Inf' || text === 'Inf') return Infinity;
  if (text === '-Inf') return -Infinity;
  return text === 'NaN' ? NaN : Number(text);
}

/// A matrix → one column of times, and one of values per series: a number (NaN and ±Inf too), or null where there is none.
///
///   [{ metric, values: [[t, '1'], …] }]  →  { columns: [[t₀, t₁ …], [1, null …], …], labels: [metric …], histograms: [] }
///
/// Times are the request's grid, so all series share one column. Series with native histograms, which have no line, stand apart as they came.
export function columnsOfMatrix(result, { start, end, step }) {
  const count = Math.min(Math.floor((end - start) / step + 1e-6) + 1, 11001);
  const times = Array.from({ length: Math.max(count, 0) }, (_, index) => Math.round((start + index * step) * 1000) / 1000);
  const columns = [times];
  const labels = [];
  const histograms = result.filter((series) => series.histograms?.length > 0);
  for (const series of result) {
    if (!series.values) continue;
    const column = new Array(times.length).fill(null);
    for (const [time, text] of series.values) {
      const index = Math.round((time - start) / step);
      if (index >= 0 && index < column.length) column[index] = parseNumber(text);
    }
    columns.push(column);
    labels.push(series.metric);
  }
  return { columns, labels, histograms };
}

/// Columns a canvas can draw: NaN and ±Inf become gaps.
export const drawable = (columns) =>
  columns.map((column, index) => (index === 0 ? column : column.map((value) => (Number.isFinite(value) ? value : null))));

/// Each column on top of those before it; a gap adds nothing, and stays a gap where no column has a value.
export function stacked(columns) {
  const sums = new Array(columns[0].length).fill(0);
  return columns.map((column, index) => {
    if (index === 0) return column;
    return column.map((value, step) => {
      if (Number.isFinite(value)) sums[step] += value;
      return Number.isFinite(value) ? sums[step] : null;
    });
  });
}

/// Last, least, greatest and mean of a column's finite values; undefined without any.
export function summary(column) {
  let last, least, greatest, mean = 0, count = 0;
  for (const value of column) {
    if (value !== null) last = value;
    if (!Number.isFinite(value)) continue;
    if (count === 0 || value < least) least = value;
    if (count === 0 || value > greatest) greatest = value;
    count += 1;
    // Divided before it is added: the sum of great values can be infinite.
    mean += value / count - mean / count;
  }
  return last === undefined ? undefined : { last, least, greatest, mean: count > 0 ? mean : undefined };
}

// MARK: Labels

/// What all series have in common, and per series the labels that tell it from the others.
///
///   {job="node", mode="idle"}, {job="node", mode="user"}   →   shared {job="node"}, own {mode="idle"} and {mode="user"}
///
/// One series alone shares nothing: all its labels are its own.
export function labelDifferences(all) {
  const shared = {};
  if (all.length > 1) {
    for (const [name, value] of Object.entries(all[0])) {
      if (all.every((labels) => Object.hasOwn(labels, name) && labels[name] === value)) shared[name] = value;
    }
  }
  const own = all.map((labels) => Object.fromEntries(Object.entries(labels).filter(([name]) => !Object.hasOwn(shared, name))));
  return { shared, own };
}

/// Labels as PromQL writes them, in pieces with a kind: 'name', 'key', 'value' or 'mark' (braces and the like). Names that are
/// no identifiers stand in quotes.
export function labelPieces(labels) {
  const { __name__: name = '', ...rest } = labels;
  const isPlain = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(name);
  const items = Object.entries(rest).map(([key, value]) => [
    { kind: 'key', text: /^[a-zA-Z_]\w*$/.test(key) ? key : JSON.stringify(key) }, { kind: 'mark', text: '=' },
    { kind: 'value', text: JSON.stringify(value) },
  ]);
  if (name !== '' && !isPlain) items.unshift([{ kind: 'name', text: JSON.stringify(name) }]);
  const pieces = isPlain ? [{ kind: 'name', text: name }] : [];
  if (isPlain && items.length === 0) return pieces;
  pieces.push({ kind: 'mark', text: '{' });
  items.forEach((item, index) => pieces.push(...(index > 0 ? [{ kind: 'mark', text: ', ' }] : []), ...item));
  pieces.push({ kind: 'mark', text: '}' });
  return pieces;
}

// MARK: Numbers for people

/// '14:05', with seconds where ticks are closer than a minute, with the date where the day changes.
export function timeLabels(times, isUTC) {
  const step = times.length > 1 ? times[1] - times[0] : 60;
  let day = '';
  return times.map((seconds) => {
    const [date, clock] = formatTime(seconds, isUTC).split(' ');
    const text = step < 60 ? clock : clock.slice(0, 5);
    const isNew = date !== day;
    day = date;
    if (step >= 86400) return date.slice(5);
    return isNew ? `${text}\n${date.slice(5)}` : text;
  });
}

const prefixes = [[1e12, 'T'], [1e9, 'G'], [1e6, 'M'], [1e3, 'k']];

/// 1234567 → '1.235M'; at most four digits that count.
export function shortNumber(value) {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size >= 1e15 || size < 1e-4) return trimExponent(value.toExponential(3));
  for (const [unit, name] of prefixes) if (size >= unit * 0.99995) return `${Number((value / unit).toPrecision(4))}${name}`;
  return String(Number(value.toPrecision(4)));
}

const trimExponent = (text) => text.replace(/\.?0+e/, 'e');

/// Labels of an axis: as many digits as tell neighbours apart, one unit for all.
export function axisLabels(values) {
  const size = Math.max(...values.map(Math.abs), 0);
  const step = values.length > 1 ? Math.abs(values[1] - values[0]) : size;
  if (size === 0) return values.map(() => '0');
  if (size >= 1e15 || size < 1e-4) return values.map((value) => (value === 0 ? '0' : trimExponent(value.toExponential(3))));
  const [unit, name] = prefixes.find(([least]) => size >= least * 10 || (size >= least && step >= least / 1000)) ?? [1, ''];
  const digits = Math.min(Math.max(0, -Math.floor(Math.log10(step / unit) + 1e-9)), 12);
  const exact = Math.abs((step / unit) * 10 ** digits - Math.round((step / unit) * 10 ** digits)) > 1e-6 ? digits + 1 : digits;
  return values.map((value) => (value === 0 ? '0' : `${(value / unit).toFixed(exact)}${name}`));
}
