import { test } from 'node:test';
import assert from 'node:assert/strict';
import { addressOfView, count, days, kindOf, limitAtFirst, limitAtMost, matching, viewFromAddress } from '../../web/alertmanager/HistoryLogic.js';

const event = (time, kind, more = {}) => ({ time: `2026-01-${time}Z`, kind, ...more });
const events = [
  event('02T10:00:00', 'alert_firing', { labels: { alertname: 'Down', job: 'node' } }), event('02T10:00:30', 'notified', { receiver: 'pager', integration: 'webhook' }),
  event('01T23:00:00', 'failed', { receiver: 'chat', message: 'status 503' }), event('02T10:00:30', 'silence_created'),
];
const found = (kind, search = '') => matching(events, { kind, search }).map(({ kind }) => kind);

test('newest first; events of one moment in the order of the answer', () => {
  assert.deepEqual(found(''), ['notified', 'silence_created', 'alert_firing', 'failed']);
});

test('every word is wanted, in labels, receivers, messages and titles', () => {
  assert.deepEqual(found('', 'job="node" down'), ['alert_firing']);
  assert.deepEqual(found('', 'CHAT 503'), ['failed']);
  assert.deepEqual(found('', 'alert fires'), ['alert_firing']);
  assert.deepEqual(found('notified', 'chat'), []);
  assert.deepEqual([count(events, ''), count(events, 'failed'), count(events, 'alert_resolved')], [4, 1, 0]);
});

test('events stand under their day', () => {
  assert.deepEqual(days(matching(events, { kind: '', search: '' }), true).map(({ day, events }) => [day, events.map(({ clock }) => clock)]),
    [['2026-01-02', ['10:00:30', '10:00:30', '10:00:00']], ['2026-01-01', ['23:00:00']]]);
  assert.deepEqual(days([{ kind: 'notified' }], true).map(({ day }) => day), ['']);
});

test('kinds of a newer server are shown by their name', () => {
  assert.equal(kindOf({ kind: 'config_reloaded' }).title, 'config reloaded');
  assert.equal(kindOf({ kind: 'toString' }).title, 'toString');
  assert.equal(kindOf({}).title, 'Event');
});

test('the view lives in the address', () => {
  for (const text of ['', '?kind=failed&search=a+b&limit=400&filter=a%3D%22b%22']) {
    const path = addressOfView(viewFromAddress(text));
    assert.deepEqual(viewFromAddress(path.slice('history'.length)), viewFromAddress(text));
  }
  assert.equal(addressOfView(viewFromAddress('?kind=broken&limit=0')), 'history');
  assert.equal(viewFromAddress('?limit=x').limit, limitAtFirst);
  assert.equal(viewFromAddress('?limit=1e12').limit, limitAtMost);
});
