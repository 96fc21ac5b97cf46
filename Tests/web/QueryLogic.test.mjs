// Run with `node --test Tests/web/*.test.mjs`.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import {
  addressOfPanels, automaticStep, axisLabels, columnsOfMatrix, drawable, emptyPanel, formatDuration, formatTime, labelDifferences,
  labelPieces, nextRange, panelsFromAddress, parseDuration, parseNumber, parseTime, rangeRequest, shortNumber, stacked, summary,
} from '../../web/query/QueryLogic.js';

test('durations are read as PromQL writes them, or as seconds', () => {
  const texts = { '1h': 3600, '1h30m': 5400, '500ms': 0.5, '90': 90, ' 2d ': 172800, '1w': 604800, '1.5': 1.5 };
  for (const [text, seconds] of Object.entries(texts)) assert.equal(parseDuration(text), seconds, text);
  for (const text of ['', '0', '-5m', 'm', '1.5h', '5x', '1h 30m', '0s']) {
    assert.equal(parseDuration(text), undefined, text);
  }
});

test('a duration that is written can be read again', () => {
  for (const seconds of [0.001, 0.25, 1, 59, 60, 61.5, 3600, 5400, 86400, 90061, 31536000]) {
    assert.ok(Math.abs(parseDuration(formatDuration(seconds)) - seconds) < 1e-9, `${seconds}`);
  }
});

test('times in UTC can be written and read, parts of them too', () => {
  assert.equal(formatTime(1700000000, true), '2023-11-14 22:13:20');
  assert.equal(parseTime('2023-11-14 22:13:20', true), 1700000000);
  assert.equal(parseTime('2023-11-14T22:13:20Z', false), 1700000000);
  assert.equal(parseTime('2023-11-14', true), Date.UTC(2023, 10, 14) / 1000);
  assert.equal(parseTime('1700000000.5', true), 1700000000.5);
  for (const text of ['', 'now', '2023-13-01', '2023-11-14 25:00', '14.11.2023']) assert.equal(parseTime(text, true), undefined, text);
});

test('local times are the reverse of each other', () => {
  for (const seconds of [0, 1700000000, 1720000000]) assert.equal(parseTime(formatTime(seconds, false), false), seconds);
});

test('ranges step up and down and stay at the ends', () => {
  assert.equal(nextRange(3600, 1), 7200);
  assert.equal(nextRange(3600, -1), 1800);
  assert.equal(nextRange(4000, -1), 3600);
  assert.equal(nextRange(60, -1), 60);
  assert.equal(nextRange(1e9, 1), 1e9);
});

test('the old pages’ addresses are understood', () => {
  const [first, second] = panelsFromAddress(
    '?g0.expr=up%7Bjob%3D%22node%22%7D&g0.tab=0&g0.stacked=1&g0.range_input=15m&g0.end_input=2023-11-14%2022%3A13%3A20&g0.step_input=30'
    + '&g1.expr=a%20%2B%20b&g1.tab=1');
  assert.deepEqual(first, { expr: 'up{job="node"}', tab: 'graph', range: 900, end: 1700000000, step: 30, stacked: true });
  assert.deepEqual(second, { ...emptyPanel, expr: 'a + b', tab: 'table' });
});

test('the new pages’ words are understood, and an alert’s link shows its table', () => {
  const [panel] = panelsFromAddress('?g0.expr=up&g0.tab=graph&g0.display_mode=stacked&g0.res_type=custom&g0.res_step=5');
  assert.deepEqual(panel, { ...emptyPanel, expr: 'up', tab: 'graph', stacked: true, step: 5 });
  assert.equal(panelsFromAddress('?g0.expr=up%20%3D%3D%200&g0.tab=1')[0].tab, 'table');
});

test('panels survive the address', () => {
  const panels = [
    { expr: 'sum by (a) (rate(x{b=~"c|d&e=f"}[5m]))\n+ 1', tab: 'graph', range: 5400, end: 1700000000, step: 15, stacked: true },
    { ...emptyPanel, expr: 'up' }, { ...emptyPanel, tab: 'graph', expr: '' }, { ...emptyPanel, tab: 'explain', expr: 'up' },
  ];
  assert.deepEqual(panelsFromAddress(addressOfPanels(panels)), panels);
});

test('an address of nonsense gives panels with defaults, and not too many', () => {
  assert.deepEqual(panelsFromAddress('?x=1&g.expr=up&gx.expr=up'), []);
  assert.deepEqual(panelsFromAddress('?g0.range_input=zzz&g0.end_input=never&g0.__proto__=1'), [emptyPanel]);
  const many = Array.from({ length: 200 }, (_, index) => `g${index}.expr=up`).join('&');
  assert.equal(panelsFromAddress(`?${many}`).length, 50);
});

test('a graph of an hour has 14 second steps, a short one seconds', () => {
  assert.equal(automaticStep(3600), 14);
  assert.equal(automaticStep(60), 1);
  assert.deepEqual(rangeRequest({ ...emptyPanel, expr: 'up' }, 10000), { expr: 'up', start: 6400, end: 10000, step: 14 });
  assert.deepEqual(rangeRequest({ ...emptyPanel, expr: 'up', end: 5000, step: 60 }, 10000), { expr: 'up', start: 1400, end: 5000, step: 60 });
});

test('a matrix becomes columns on one grid: gaps are null, NaN and infinities stay values', () => {
  const matrix = [
    { metric: { a: '1' }, values: [[100, '1'], [110, 'NaN'], [130, '+Inf']] },
    { metric: { a: '2' }, values: [[120, '-2e+06']] },
    { metric: { a: '3' }, histograms: [[100, { count: '1', sum: '2' }]] },
    { metric: { a: '4' }, values: [[110, '1']], histograms: [[100, { count: '1', sum: '2' }]] },
  ];
  const { columns, labels, histograms } = columnsOfMatrix(matrix, { start: 100, end: 130, step: 10 });
  assert.deepEqual(columns, [[100, 110, 120, 130], [1, NaN, null, Infinity], [null, null, -2e6, null], [null, 1, null, null]]);
  assert.deepEqual(labels, [{ a: '1' }, { a: '2' }, { a: '4' }]);
  assert.deepEqual(histograms.map(({ metric }) => metric), [{ a: '3' }, { a: '4' }]);
  assert.deepEqual(drawable(columns), [[100, 110, 120, 130], [1, null, null, null], [null, null, -2e6, null], [null, 1, null, null]]);
});

test('steps that are no whole numbers still find their place', () => {
  const start = 1700000000.123, step = 0.7;
  const values = Array.from({ length: 100 }, (_, index) => [Math.round((start + index * step) * 1000) / 1000, String(index)]);
  const { columns } = columnsOfMatrix([{ metric: {}, values }], { start, end: start + 99 * step, step });
  assert.deepEqual(columns[1], Array.from({ length: 100 }, (_, index) => index));
});

test('stacked columns add up, and a gap adds nothing', () => {
  assert.deepEqual(stacked([[0, 1, 2], [1, null, 3], [10, 20, null]]), [[0, 1, 2], [1, null, 3], [11, 20, null]]);
});

test('a summary leaves out what is not finite, but shows it as the last value', () => {
  assert.deepEqual(summary([null, 1, 3, NaN]), { last: NaN, least: 1, greatest: 3, mean: 2 });
  assert.equal(summary([null, null]), undefined);
  assert.equal(summary([1e308, 1.5e308]).mean, 1.25e308);
  assert.deepEqual(summary([Infinity]), { last: Infinity, least: undefined, greatest: undefined, mean: undefined });
});

test('the legend shows what differs, and what is shared once', () => {
  const { shared, own } = labelDifferences([
    { __name__: 'x', job: 'node', mode: 'idle' }, { __name__: 'x', job: 'node', mode: 'user', cpu: '0' },
  ]);
  assert.deepEqual(shared, { __name__: 'x', job: 'node' });
  assert.deepEqual(own, [{ mode: 'idle' }, { mode: 'user', cpu: '0' }]);
  assert.deepEqual(labelDifferences([{ a: 'b' }]), { shared: {}, own: [{ a: 'b' }] });
});

test('labels are text as PromQL writes it', () => {
  const labelText = (labels) => labelPieces(labels).map(({ text }) => text).join('');
  assert.equal(labelText({ __name__: 'up', job: 'a"b\\' }), 'up{job="a\\"b\\\\"}');
  assert.equal(labelText({}), '{}');
  assert.equal(labelText({ __name__: 'up' }), 'up');
  assert.equal(labelText({ __name__: 'http.requests', 'x.y': '1' }), '{"http.requests", "x.y"="1"}');
});

test('numbers are read as the API writes them', () => {
  assert.deepEqual(['1e+06', '+Inf', '-Inf', 'NaN', '-0.5'].map(parseNumber), [1e6, Infinity, -Infinity, NaN, -0.5]);
});

test('numbers for people are short and keep their size', () => {
  const texts = [[0, '0'], [1, '1'], [0.1 + 0.2, '0.3'], [1234, '1.234k'], [999.96, '1k'], [1.5e9, '1.5G'], [-2.5e6, '-2.5M'],
    [1e15, '1e+15'], [0.00001, '1e-5'], [1.7976931348623157e308, '1.798e+308'], [NaN, 'NaN'], [-Infinity, '-Inf']];
  for (const [value, text] of texts) assert.equal(shortNumber(value), text);
});

test('neighbours on an axis never look the same', () => {
  const axes = [[0, 0.5, 1], [1000, 1001, 1002], [0, 2e9, 4e9], [1e6, 1.0005e6, 1.001e6], [-2, -1, 0, 1], [0.001, 0.0015, 0.002], [1e16, 2e16]];
  for (const axis of axes) assert.equal(new Set(axisLabels(axis)).size, axis.length, axisLabels(axis).join(' '));
  assert.deepEqual(axisLabels([0, 0.5, 1]), ['0', '0.5', '1.0']);
  assert.deepEqual(axisLabels([]), []);
});
