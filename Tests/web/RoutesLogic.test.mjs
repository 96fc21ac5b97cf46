import { test } from 'node:test';
import assert from 'node:assert/strict';
import { depthLimit, textOf, groupByText, outcomeTone, roleOf, routeCount, routeFacts, takenKeys } from '../../web/alertmanager/RoutesLogic.js';
import { explanation, reasonText } from '../../web/alertmanager/WhyLogic.js';

const route = (key, routes = [], more = {}) => ({ key, routes, groupBy: ['alertname'], groupWait: 30000, groupInterval: 300000, repeatInterval: 14400000, ...more });
const tree = route('root', [route('a', [route('b', [], { groupWait: 90000, muteTimeIntervals: ['night', 'weekend'] })]), route('c', [], { groupBy: ['...'], activeTimeIntervals: ['office'] })]);
const said = (one, above) => routeFacts(one, above).map(({ name, value }) => `${name} ${value}`);

test('a route says how it differs from the one above it', () => {
  assert.deepEqual(said(tree), ['group by alertname', 'wait 30s', 'interval 5m', 'repeat 4h']);
  assert.deepEqual(said(tree.routes[0], tree), []);
  assert.deepEqual(said(tree.routes[0].routes[0], tree.routes[0]), ['wait 1m30s', 'mute in night, weekend']);
  assert.deepEqual(said(tree.routes[1], tree), ['group by every label', 'active in office']);
  assert.deepEqual(said({}), []);
  assert.equal(groupByText([]), 'nothing: one group');
});

test('routes that an alert takes are marked, and those on the way', () => {
  const taken = takenKeys({ routes: [{ key: 'b' }, {}] });
  assert.deepEqual([tree, tree.routes[0], tree.routes[0].routes[0], tree.routes[1]].map((one) => roleOf(one, taken)), ['passed', 'passed', 'taken', '']);
  assert.equal(roleOf(tree, takenKeys(undefined)), '');
  assert.equal(roleOf({}, takenKeys({ routes: [{}] })), '');
  assert.equal(routeCount(tree), 4);
});

test('a tree that is too deep is walked to a limit', () => {
  let deep = route('leaf');
  for (let depth = 0; depth < 5000; depth += 1) deep = route('', [deep]);
  assert.equal(routeCount(deep), depthLimit + 1);
  assert.equal(roleOf(deep, new Set(['leaf'])), '');
});

test('outcomes have a tone, exchanges are text', () => {
  assert.deepEqual(['success', 'ok', 'sent', 'failed: 503', 'Error', 'muted', undefined].map(outcomeTone), ['good', 'good', 'good', 'bad', 'bad', '', '']);
  assert.deepEqual([undefined, null, '', 'POST /'].map(textOf), ['', '', '', 'POST /']);
  assert.equal(textOf({ request: 'x' }), '{\n  "request": "x"\n}');
});

test('an explanation misses nothing, whatever the server leaves out', () => {
  const empty = { labels: {}, isKnown: true, state: '', verdict: '', silencedBy: [], inhibitedBy: [], routes: [] };
  for (const answer of [undefined, null, {}, { routes: null, silencedBy: 'x' }]) assert.deepEqual(explanation(answer), empty);
  const [found] = explanation({ known: false, routes: [{ receiver: 'pager', nextFlush: '1970-01-01T00:00:02Z', integrations: [
    { integration: 'slack', index: 1, lastReason: 'first_notification', lastDecision: 'doNotNotify', lastAttempt: null, nextRepeat: '0001-01-01T00:00:00Z' }, {}] }] }).routes;
  assert.deepEqual(found, { key: '', receiver: 'pager', groupLabels: {}, groupExists: false, nextFlush: 2000, mutedBy: [], integrations: [
    { name: 'slack 2', decision: 'do not notify', reason: 'the first notification of its group', outcome: '', lastAttempt: undefined, nextRepeat: undefined },
    { name: '?', decision: '', reason: '', outcome: '', lastAttempt: undefined, nextRepeat: undefined }] });
});

test('reasons that a newer server gives are shown as words', () => {
  assert.equal(reasonText('quota_exceeded'), 'quota exceeded');
  assert.equal(reasonText('constructor'), 'constructor');
  assert.equal(reasonText(undefined), '');
});
