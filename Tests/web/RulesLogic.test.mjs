import { test } from 'node:test';
import assert from 'node:assert/strict';
import {
  addressOfFilter, alertKey, alertRows, byFile, countOfHealth, countOfState, filterFromAddress, graphAddress, holdText, linkPieces, load, matchingAlerts,
  matchingGroups, states, tally,
} from '../../web/rules/RulesLogic.js';

const alert = (instance, state, more = {}) => ({ labels: { alertname: 'Down', instance }, annotations: { summary: `${instance} is gone` }, state, activeAt: '2024-01-01T00:00:00Z', value: '0e+00', ...more });
const alerting = (name, state, alerts = [], more = {}) => ({
  type: 'alerting', name, state, query: 'up == 0', duration: 300, keepFiringFor: 0, labels: { severity: 'page' }, annotations: { summary: '{{ $labels.instance }} is gone' },
  alerts, health: 'ok', ...more,
});
const recording = (name, more = {}) => ({ type: 'recording', name, query: 'sum(rate(x[5m]))', labels: {}, health: 'ok', ...more });
const groups = [
  { name: 'b', file: 'z.yml', interval: 60, evaluationTime: 15, rules: [alerting('Quiet', 'inactive'), recording('job:x:rate5m')] },
  { name: 'a', file: 'a.yml', interval: 30, evaluationTime: 0.003, rules: [
    alerting('Down', 'firing', [alert('web:1', 'pending'), alert('db:1', 'firing'), alert('app:1', 'firing')]),
    alerting('Slow', 'pending', [alert('web:2', 'pending')]),
    recording('broken', { health: 'err', lastError: 'many-to-many matching' }),
  ] },
];

test('alerting rules come by urgency, then as the files have them', () => {
  const rows = alertRows(groups);
  assert.deepEqual(rows.map(({ rule, group }) => [rule.name, group]), [['Down', 'a'], ['Slow', 'a'], ['Quiet', 'b']]);
  assert.deepEqual(['', ...states].map((state) => countOfState(rows, state)), [3, 1, 1, 1, 0]);
  assert.equal(new Set(rows.map(({ key }) => key)).size, 3);
});

test('a filter wants every word, in the rule or in one of its alerts', () => {
  const found = (search, state = '') => matchingAlerts(alertRows(groups), { search, state }).map(({ rule, alerts }) => [rule.name, ...alerts.map(({ labels }) => labels.instance)]);
  assert.deepEqual(found(''), [['Down', 'app:1', 'db:1', 'web:1'], ['Slow', 'web:2'], ['Quiet']]);
  assert.deepEqual(found('', 'pending'), [['Slow', 'web:2']]);
  assert.deepEqual(found('WEB:'), [['Down', 'web:1'], ['Slow', 'web:2']]);
  assert.deepEqual(found('down db:1'), [['Down', 'db:1']]);
  assert.deepEqual(found('z.yml severity="page"'), [['Quiet']]);
  assert.deepEqual(found('db:1 web:1'), []);
});

test('alerts of a rule are counted by state', () => {
  assert.deepEqual(tally(groups[1].rules[0]), { firing: 2, pending: 1 });
  assert.deepEqual(tally({ alerts: null }), { firing: 0, pending: 0 });
});

test('an alert is the same whatever the order of its labels', () => {
  assert.equal(alertKey({ labels: { a: '1', b: '2' } }), alertKey({ labels: { b: '2', a: '1' } }));
});

test('rules are found by health and by words, groups without any are left out', () => {
  const found = (search, health = '') => matchingGroups(groups, { search, health }).map(({ name, rules }) => [name, ...rules.map(({ rule }) => rule.name)]);
  assert.deepEqual(found('', 'err'), [['a', 'broken']]);
  assert.deepEqual(found('rate(X'), [['b', 'job:x:rate5m'], ['a', 'broken']]);
  assert.deepEqual(found('many-to-many'), [['a', 'broken']]);
  assert.deepEqual(matchingGroups([{ name: 'e', file: 'f', rules: [] }], { search: '', health: '' }).length, 1);
  assert.deepEqual(['', 'ok', 'err', 'unknown'].map((health) => countOfHealth(groups, health)), [5, 4, 1, 0]);
});

test('groups stand under their files', () => {
  assert.deepEqual(byFile(groups).map(({ file, groups: members }) => [file, members.length]), [['a.yml', 1], ['z.yml', 1]]);
});

test('a group that takes a quarter of its interval says so', () => {
  assert.equal(load(groups[0]), 25);
  assert.equal(load({ interval: 0, evaluationTime: 1 }), 0);
});

test('how long a rule waits is told in words', () => {
  assert.equal(holdText({ duration: 300, keepFiringFor: 600 }), 'for 5m, kept for 10m');
  assert.equal(holdText({ duration: 0, keepFiringFor: 0 }), '');
});

test('an expression links to its graph', () => {
  assert.equal(graphAddress('up == 0'), 'query?g0.expr=up+%3D%3D+0&g0.tab=0&g0.range_input=1h');
});

test('addresses in annotations are links, whatever stands behind them', () => {
  assert.deepEqual(linkPieces('see https://x.example/a?b=c#d, or (http://y).'), [
    { text: 'see ' }, { text: 'https://x.example/a?b=c#d', href: 'https://x.example/a?b=c#d' }, { text: ', or (' }, { text: 'http://y', href: 'http://y' }, { text: ').' },
  ]);
  assert.deepEqual(linkPieces('javascript:alert(1)'), [{ text: 'javascript:alert(1)' }]);
  assert.deepEqual(linkPieces(''), []);
});

test('the filter lives in the address', () => {
  for (const filter of [{ state: '', search: '' }, { state: 'firing', search: 'job="a b&c"' }]) {
    assert.deepEqual(filterFromAddress(addressOfFilter(filter), 'state', states), filter);
  }
  assert.deepEqual(filterFromAddress('?state=weird', 'state', states), { state: '', search: '' });
});
