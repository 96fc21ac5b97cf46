// Run with `node --test Tests/web/*.test.mjs`.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { barAt, barsOf, heatOf, histogramOf, intervalText, scaleOf, ticksOf } from '../../web/query/HistogramLogic.js';

const buckets = (...rows) => histogramOf({ count: '0', sum: '0', buckets: rows }).buckets;
const near = (a, b) => assert.ok(Math.abs(a - b) < 1e-9, `${a} and ${b}`);

test('a histogram is read with infinite bounds, and without buckets', () => {
  assert.deepEqual(histogramOf({ count: '3', sum: 'NaN' }), { count: 3, sum: NaN, buckets: [] });
  assert.deepEqual(buckets([3, '-Inf', '1', '2'])[0], { bounds: 3, low: -Infinity, high: 1, count: 2 });
});

test('brackets say which bounds belong to a bucket', () => {
  const text = [0, 1, 2, 3].map((bounds) => intervalText({ bounds, low: 0.5, high: Infinity }));
  assert.deepEqual(text, ['(0.5, +Inf]', '[0.5, +Inf)', '(0.5, +Inf)', '[0.5, +Inf]']);
});

test('buckets of one schema are equally wide, and a gap is as wide as what it leaves out', () => {
  const bars = barsOf(buckets([0, '1', '2', '4'], [0, '2', '4', '8'], [0, '8', '16', '2']), 'exponential');
  assert.deepEqual(bars.map(({ from, to }) => [from, to]), [[0, 0.25], [0.25, 0.5], [0.75, 1]]);
  assert.deepEqual(bars.map(({ height }) => height), [0.5, 1, 0.25]);
});

test('what lies around zero has the place of one bucket, however narrow it is', () => {
  const bars = barsOf(buckets([1, '-2', '-1', '1'], [3, '-1e-128', '1e-128', '3'], [0, '1', '2', '1']), 'exponential');
  assert.equal(bars.length, 3);
  near(bars[1].from, 1 / 3);
  near(bars[1].to, 2 / 3);
  const alone = barsOf(buckets([3, '-0.001', '0.001', '3']), 'exponential');
  assert.deepEqual([alone[0].from, alone[0].to, alone[0].height], [0, 1, 1]);
  const point = barsOf(buckets([3, '0', '0', '3']), 'exponential');
  assert.deepEqual([point[0].from, point[0].to, point[0].height], [0, 1, 1]);
});

test('on the linear scale a bar’s area is its count', () => {
  const bars = barsOf(buckets([0, '0', '1', '5'], [0, '1', '11', '5']), 'linear');
  near(bars[0].to, 1 / 11);
  assert.deepEqual(bars.map(({ height }) => height), [1, 0.1]);
});

test('infinite buckets get room beyond the last finite bound', () => {
  for (const kind of ['exponential', 'linear']) {
    const bars = barsOf(buckets([3, '-Inf', '1', '5'], [0, '1', '2', '5'], [0, '2', '+Inf', '1']), kind);
    for (const { from, to, height } of bars) assert.ok(from >= 0 && to <= 1 && to > from && height > 0 && height <= 1, kind);
  }
  assert.equal(barsOf(buckets([3, '-Inf', '+Inf', '5']), 'exponential').length, 1);
});

test('any histogram has places between 0 and 1: no NaN reaches the drawing', () => {
  const numbers = ['-Inf', '-1e308', '-5', '-1e-300', '0', '1e-300', '0.1', '7', '1e308', '+Inf'];
  for (let seed = 1; seed < 400; seed += 1) {
    let state = seed * 2654435761 % 4294967296;
    const next = (below) => { state = (state * 1664525 + 1013904223) % 4294967296; return Math.floor((state / 4294967296) * below); };
    const cuts = [...new Set(Array.from({ length: 6 }, () => next(numbers.length)))].sort((a, b) => a - b);
    const rows = cuts.slice(1).map((cut, index) => [next(4), numbers[cuts[index]], numbers[cut], ['1', '-3', 'NaN', '+Inf', '0', '2e9'][next(6)]]);
    for (const kind of ['exponential', 'linear']) {
      for (const { from, to, height } of barsOf(buckets(...rows), kind)) {
        const isRight = from >= -1e-9 && to <= 1 + 1e-9 && to >= from && height >= 0 && height <= 1;
        assert.ok(isRight, JSON.stringify({ rows, kind, from, to, height }));
      }
    }
  }
});

test('the pointer finds its bar, or the nearest', () => {
  const bars = barsOf(buckets([0, '1', '2', '4'], [0, '8', '16', '2']), 'exponential');
  assert.deepEqual([0, 0.1, 0.3, 0.7, 0.9, 1.2].map((x) => barAt(bars, x)), [0, 0, 0, 1, 1, 1]);
  assert.equal(barAt([], 0.5), -1);
});

test('ticks keep their distance and have the ends first', () => {
  const rows = Array.from({ length: 40 }, (_, index) => [0, String(2 ** index), String(2 ** (index + 1)), '1']);
  const ticks = ticksOf(barsOf(buckets(...rows), 'exponential'), 0.14);
  assert.equal(ticks[0].value, 1);
  assert.equal(ticks[ticks.length - 1].value, 2 ** 40);
  for (let index = 1; index < ticks.length; index += 1) assert.ok(ticks[index].at - ticks[index - 1].at >= 0.14 - 1e-9);
});

test('a heat map has a cell per step and bucket, denser ones weigh more, and points off the grid are left out', () => {
  const at = (time, ...rows) => [time, { count: '9', sum: '1', buckets: rows }];
  const { count, cells, ticks } = heatOf([
    at(100, [0, '1', '2', '4'], [0, '2', '4', '1']), at(120, [0, '2', '4', '-4']), at(1e6, [0, '1', '2', '100']),
  ], { start: 100, end: 130, step: 10 });
  assert.equal(count, 4);
  assert.deepEqual(cells.map(({ step, from, to, weight }) => [step, from, to, weight]), [[0, 0, 0.5, 1], [0, 0.5, 1, 0.5], [2, 0.5, 1, -1]]);
  assert.deepEqual(ticks.map(({ value }) => value), [1, 2, 4]);
  assert.deepEqual(heatOf([], { start: 0, end: 1, step: 1 }).cells, []);
});

test('both scales leave the order of bounds alone', () => {
  const all = buckets([1, '-4', '-2', '1'], [3, '-0.5', '0.5', '1'], [0, '2', '4', '1']);
  for (const kind of ['exponential', 'linear']) {
    const { place } = scaleOf(all, kind);
    const places = [-Infinity, -4, -2, -0.5, 0, 0.5, 2, 4, Infinity].map(place);
    assert.deepEqual(places, [...places].sort((a, b) => a - b));
  }
});
