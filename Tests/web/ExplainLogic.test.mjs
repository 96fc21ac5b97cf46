// Run with `node --test Tests/web/*.test.mjs`.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import {
  expressionPieces, formatBytes, formatCount, formatNanoseconds, metricText, opensAtFirst, planRows, shownSamples,
} from '../../web/query/ExplainLogic.js';

const measures = (nanoseconds, ownNanoseconds) => ({ nanoseconds, ownNanoseconds, series: 1, columns: 1, points: 1 });

test('a tree becomes rows in order, with depths, branches and shares of the whole time', () => {
  const rows = planRows({
    title: 'query', measures: measures(100, 10), children: [
      { title: '/', measures: measures(90, 20), children: [{ title: 'rate', measures: measures(50, 50), children: [] }, { title: 'number', children: [] }] },
    ],
  });
  assert.deepEqual(rows.map(({ title, depth }) => [title, depth]), [['query', 0], ['/', 1], ['rate', 2], ['number', 2]]);
  assert.deepEqual(rows.map(({ lines }) => lines), [[], [false], [false, true], [false, false]]);
  assert.deepEqual(rows.map(({ own, total }) => [own, total]), [[0.1, 1], [0.2, 0.9], [0.5, 0.5], [0, 0]]);
});

test('a plan that was not run has no shares, and times without sense stay within the bar', () => {
  assert.deepEqual(planRows({ title: 'query' }).map(({ own }) => own), [0]);
  const [, child] = planRows({ title: 'query', measures: measures(10, 0), children: [{ title: 'a', measures: measures(25, 25) }] });
  assert.equal(child.own, 1);
});

test('times, bytes and counts have three digits that count and a unit', () => {
  assert.deepEqual([0, 870, 12345, 12345678, 9.99e8, 1.5e9].map(formatNanoseconds), ['0 ns', '870 ns', '12.3 µs', '12.3 ms', '999 ms', '1.5 s']);
  assert.deepEqual([0, 812, 4400000, 2.5e9].map(formatBytes), ['0 B', '812 B', '4.4 MB', '2.5 GB']);
  assert.equal(formatNanoseconds(undefined), '–');
  assert.deepEqual([5, 1234, 1234567].map(formatCount), ['5', '1\u2009234', '1\u2009234\u2009567']);
});

test('a place in the expression counts bytes, not characters', () => {
  assert.deepEqual(expressionPieces('sum(x{a="ü"}) / y', [0, 14]), ['', 'sum(x{a="ü"})', ' / y']);
  assert.deepEqual(expressionPieces('up', undefined), ['up', '', '']);
  assert.deepEqual(expressionPieces('up', [1, 99]), ['u', 'p', '']);
});

test('labels are sent as the parser reads them', () => {
  assert.equal(metricText({}), '{}');
  assert.equal(metricText({ __name__: 'up', job: 'a"b' }), 'up{job="a\\"b"}');
});

test('of many samples the ends and the remarks are shown, and what lies between is counted', () => {
  const samples = Array.from({ length: 30 }, (_, index) => [index, '1', index === 12 ? 'reset' : '']);
  const shown = shownSamples(samples, 2);
  assert.deepEqual(shown.map(({ sample, gap }) => (gap ? `+${gap}` : sample[0])), [0, 1, '+10', 12, '+15', 28, 29]);
  assert.equal(shownSamples(samples.slice(0, 3), 2).length, 3);
});

test('parts with an arithmetic stand open, not too deep', () => {
  const part = { steps: [{}], samples: [] };
  assert.deepEqual([0, 2, 3].map((depth) => opensAtFirst(part, depth)), [true, true, false]);
  assert.equal(opensAtFirst({ steps: [], samples: [] }, 0), false);
});
