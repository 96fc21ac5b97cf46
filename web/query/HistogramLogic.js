// Native histograms as pictures: data in, places out, no document.
//
//   { count: '9', sum: '4.5', buckets: [[0, '1', '2', '6'], …] }  ─▶ histogramOf ─▶ numbers
//   buckets ─▶ scaleOf ─▶ a place for every bound ─▶ bars [{ from, to, height }], cells of a heat map
//
// On the exponential scale all buckets of a schema are equally wide. What lies around zero has no logarithm: it gets the place of one
// bucket in the middle. A bound of ±Inf lies one bucket beyond the last finite one.

import { parseNumber } from './QueryLogic.js';

/// The API's histogram in numbers; buckets from the lowest to the highest: { bounds, low, high, count }.
export function histogramOf({ count, sum, buckets = [] }) {
  return {
    count: parseNumber(count), sum: parseNumber(sum),
    buckets: buckets.map(([bounds, low, high, share]) => ({ bounds, low: parseNumber(low), high: parseNumber(high), count: parseNumber(share) })),
  };
}

/// '(0.25, 0.5]': a bracket where the bound belongs to the bucket.
export function intervalText({ bounds, low, high }) {
  const text = (value) => (value === Infinity ? '+Inf' : value === -Infinity ? '-Inf' : String(value));
  return `${bounds === 1 || bounds === 3 ? '[' : '('}${text(low)}, ${text(high)}${bounds === 0 || bounds === 3 ? ']' : ')'}`;
}

/// The interval with as many digits as a reader needs.
export const shortInterval = (bucket, short) => intervalText(bucket).replace(/[\d.]+(e[+-]?\d+)?/g, (number) => short(Number(number)));

// Of lists too long to be arguments.
const leastOf = (list) => list.reduce((a, b) => Math.min(a, b), Infinity);
const greatestOf = (list) => list.reduce((a, b) => Math.max(a, b), -Infinity);

/// Whether a bucket lies around zero.
const isAroundZero = ({ low, high }) => low <= 0 && high >= 0 && Number.isFinite(low) && low < high && (low < 0 || high === 0);

/// Places on an axis for bounds. { place(value), low, high }: all buckets lie between `low` and `high`.
///
///   exponential   … −2   −1  │ zero │  1    2    4 …        place: … −1.5  −.5  .5  1.5 …   one bucket, one step
///   linear        the value itself, at a size that cannot overflow
export function scaleOf(buckets, kind) {
  const bounds = buckets.flatMap(({ low, high }) => [low, high]).filter(Number.isFinite);
  // A quarter of the value: the greatest numbers have differences, too.
  if (kind === 'linear') return bounded((value) => value / 4, bounds, widthOf(buckets) ?? 1);
  const sizes = buckets.filter((bucket) => !isAroundZero(bucket)).flatMap(({ low, high }) => [low, high])
    .filter((value) => Number.isFinite(value) && value !== 0).map(Math.abs);
  const least = sizes.length > 0 ? leastOf(sizes) : 1;
  let step = Infinity;
  for (const { low, high } of buckets) {
    // Logarithms apart: a quotient of extremes would be infinite.
    const ratio = Math.abs(Math.log2(Math.abs(high)) - Math.log2(Math.abs(low)));
    if (Number.isFinite(ratio) && Math.sign(low) === Math.sign(high) && ratio > 1e-9) step = Math.min(step, ratio);
  }
  if (!Number.isFinite(step)) step = 1;
  const place = (value) => {
    const size = Math.abs(value);
    if (size < least) return size === 0 ? 0 : Math.sign(value) * 0.5;
    return Math.sign(value) * (0.5 + (Math.log2(size) - Math.log2(least)) / step);
  };
  return bounded(place, bounds, 1);
}

/// The narrowest finite bucket; undefined without one.
function widthOf(buckets) {
  const widths = buckets.map(({ low, high }) => high / 4 - low / 4).filter((width) => Number.isFinite(width) && width > 0);
  return widths.length > 0 ? leastOf(widths) : undefined;
}

/// Infinite bounds lie `beyond` the last finite one.
function bounded(place, bounds, beyond) {
  const places = bounds.map(place);
  const least = places.length > 0 ? leastOf(places) : 0, greatest = places.length > 0 ? greatestOf(places) : 0;
  // Never lost beside great numbers.
  const room = Math.max(beyond, (greatest - least) / 20, Math.max(Math.abs(least), Math.abs(greatest)) * 1e-9);
  const all = (value) => (value === Infinity ? greatest + room : value === -Infinity ? least - room : place(value));
  return { place: all, room };
}

/// Where a bucket lies, as { from, to } in places; never without width.
export function extentOf(bucket, scale) {
  const from = scale.place(bucket.low), to = scale.place(bucket.high);
  return to > from ? { from, to } : { from: from - scale.room / 2, to: from + scale.room / 2 };
}

/// The bars of a histogram between 0 and 1 in both directions. A bar's area is its bucket's count: { from, to, height, bucket }.
export function barsOf(buckets, kind) {
  const shown = buckets.filter(({ count }) => Number.isFinite(count));
  if (shown.length === 0) return [];
  const scale = scaleOf(shown, kind);
  const extents = shown.map((bucket) => extentOf(bucket, scale));
  const low = leastOf(extents.map(({ from }) => from)), high = greatestOf(extents.map(({ to }) => to));
  // What is too narrow to be seen is no tower.
  const density = shown.map(({ count }, index) => Math.abs(count) / Math.max((extents[index].to - extents[index].from) / (high - low), 1e-4));
  const most = greatestOf(density);
  return shown.map((bucket, index) => ({
    from: (extents[index].from - low) / (high - low), to: (extents[index].to - low) / (high - low),
    height: most > 0 ? density[index] / most : 0, bucket,
  }));
}

/// Which of `bars` lies at `x` (0…1), or is the nearest.
export function barAt(bars, x) {
  let best = -1, distance = Infinity;
  bars.forEach(({ from, to }, index) => {
    const away = x < from ? from - x : x > to ? x - to : 0;
    if (away < distance) [best, distance] = [index, away];
  });
  return best;
}

/// Bounds to be written at an axis: at most `most` of them, no two nearer than `gap` (0…1): [{ at, value }].
export function ticksOf(bars, gap) {
  const ticks = [];
  const add = (at, value) => {
    if (Number.isFinite(value) && ticks.every((tick) => Math.abs(tick.at - at) >= gap)) ticks.push({ at, value });
  };
  if (bars.length === 0) return ticks;
  // Of what lies around zero the middle says enough.
  for (const { from, to, bucket } of bars) if (isAroundZero(bucket)) add((from + to) / 2, 0);
  const first = bars[0], last = bars[bars.length - 1];
  if (!isAroundZero(first.bucket)) add(first.from, first.bucket.low);
  for (const { to, bucket } of [last, ...bars]) if (!isAroundZero(bucket)) add(to, bucket.high);
  return ticks.sort((a, b) => a.at - b.at);
}

// MARK: Heat maps

/// Histograms over time as cells: { times, cells: [{ step, from, to, weight, bucket }], ticks }, `from` and `to` between 0 and 1.
/// `weight` (−1…1) says how dense a bucket is, on a root scale, so that rare ones can be seen.
///
///   histograms: [[time, { count, sum, buckets }], …] on the grid of `range`
export function heatOf(histograms, { start, end, step }) {
  const count = Math.max(1, Math.min(Math.floor((end - start) / step + 1e-6) + 1, 11001));
  const columns = histograms.map(([time, value]) => ({ step: Math.round((time - start) / step), histogram: histogramOf(value) }))
    .filter((column) => column.step >= 0 && column.step < count);
  const buckets = distinct(columns.flatMap(({ histogram }) => histogram.buckets));
  if (buckets.length === 0) return { count, columns, cells: [], ticks: [] };
  const scale = scaleOf(buckets, 'exponential');
  let low = Infinity, high = -Infinity, most = 0;
  const cells = [];
  for (const column of columns) {
    for (const bucket of column.histogram.buckets) {
      if (!Number.isFinite(bucket.count)) continue;
      const { from, to } = extentOf(bucket, scale);
      low = Math.min(low, from);
      high = Math.max(high, to);
      const density = bucket.count / (to - from);
      most = Math.max(most, Math.abs(density));
      cells.push({ step: column.step, from, to, weight: density, bucket });
    }
  }
  for (const cell of cells) {
    cell.from = (cell.from - low) / (high - low);
    cell.to = (cell.to - low) / (high - low);
    cell.weight = most > 0 ? Math.sign(cell.weight) * Math.sqrt(Math.abs(cell.weight) / most) : 0;
  }
  const rows = buckets.map((bucket) => {
    const { from, to } = extentOf(bucket, scale);
    return { from: (from - low) / (high - low), to: (to - low) / (high - low), bucket };
  });
  return { count, columns, cells, ticks: ticksOf(rows, 0.09) };
}

/// Each pair of bounds once, from the lowest to the highest.
function distinct(buckets) {
  const seen = new Map();
  for (const bucket of buckets) seen.set(`${bucket.low} ${bucket.high}`, bucket);
  return [...seen.values()].sort((a, b) => a.low - b.low || a.high - b.high);
}
