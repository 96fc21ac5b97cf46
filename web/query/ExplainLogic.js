// What the Explain tab and the arithmetic of a point compute: data in, data out.
//
//   explain.tree ─▶ rows with depth and shares ─▶ PlanTree          point ─▶ PointView

import { labelPieces } from './QueryLogic.js';

/// A tree → its nodes in order, each with `depth`, `own` and `total` as shares of the whole time (0…1), and `lines`: for every
/// level above, whether its branch goes on beneath.
///
///   { title: 'query', children: [{ title: 'rate', … }] }   →   [{ depth: 0, … }, { depth: 1, lines: [false], … }]
export function planRows(tree) {
  const whole = tree.measures?.nanoseconds ?? 0;
  const share = (nanoseconds) => (whole > 0 ? Math.min(Math.max((nanoseconds ?? 0) / whole, 0), 1) : 0);
  const rows = [];
  const walk = (node, lines) => {
    const { title, detail = '', place, measures } = node;
    rows.push({
      title, detail, place, measures, depth: lines.length, lines, own: share(measures?.ownNanoseconds), total: share(measures?.nanoseconds),
    });
    const children = node.children ?? [];
    children.forEach((child, index) => walk(child, [...lines, index + 1 < children.length]));
  };
  walk(tree, []);
  return rows;
}

/// 12345678 → '12.3 ms'; three digits that count.
export function formatNanoseconds(nanoseconds) {
  if (!Number.isFinite(nanoseconds)) return '–';
  for (const [size, name] of [[1e9, 's'], [1e6, 'ms'], [1e3, 'µs']]) {
    if (nanoseconds >= size) return `${threeDigits(nanoseconds / size)} ${name}`;
  }
  return `${nanoseconds} ns`;
}

/// 4400000 → '4.4 MB'
export function formatBytes(count) {
  for (const [size, name] of [[1e9, 'GB'], [1e6, 'MB'], [1e3, 'kB']]) if (count >= size) return `${threeDigits(count / size)} ${name}`;
  return `${count} B`;
}

const threeDigits = (value) => String(Number(value.toPrecision(3)));

/// 1234567 → '1 234 567' with thin spaces.
export const formatCount = (count) => String(count).replace(/\B(?=(\d{3})+$)/g, '\u2009');

/// The expression in three pieces, the middle one being `place`, which counts UTF-8 bytes.
export function expressionPieces(expr, place) {
  if (!place) return [expr, '', ''];
  const bytes = new TextEncoder().encode(expr);
  const decoder = new TextDecoder();
  const [from, to] = place.map((offset) => Math.min(Math.max(offset, 0), bytes.length));
  return [bytes.slice(0, from), bytes.slice(from, Math.max(from, to)), bytes.slice(Math.max(from, to))].map((part) => decoder.decode(part));
}

/// Labels as PromQL reads them, name and all: what `explain_point` wants as `metric`.
export const metricText = (labels) => labelPieces(labels).map(({ text }) => text).join('') || '{}';

/// Which parts of a point's derivation stand open at first: those with an arithmetic of their own, three levels deep.
export const opensAtFirst = (part, depth) => depth < 3 && (part.steps.length > 0 || part.samples.length > 0);

/// Samples shown of a long list: the first and the last ones, and those with a remark; gaps are counted.
///
///   [[t, v, note], …]   →   [{ sample } | { gap: 12 }, …]
export function shownSamples(samples, ends = 5) {
  const shown = [];
  let gap = 0;
  samples.forEach((sample, index) => {
    if (index < ends || index >= samples.length - ends || sample[2] !== '') {
      if (gap > 0) shown.push({ gap });
      gap = 0;
      shown.push({ sample });
    } else {
      gap += 1;
    }
  });
  return shown;
}
