import { test } from 'node:test';
import assert from 'node:assert/strict';
import { address, newSilenceAddress, pageOfFragment, silenceAddress } from '../../web/alertmanager/Addresses.js';
import { addressOfView, annotations, counts, groupKey, isShown, linkPieces, offers, ownLabels, shownGroups, statesOf, viewFromAddress, webAddress } from '../../web/alertmanager/AlertsLogic.js';
import { equals } from '../../web/alertmanager/Matchers.js';
import { moment, relativeText, spanText } from '../../web/alertmanager/Times.js';

const alert = (fingerprint, status = {}, more = {}) => ({
  fingerprint, status: { state: 'active', silencedBy: [], inhibitedBy: [], mutedBy: [], ...status }, labels: { alertname: 'A', n: fingerprint }, startsAt: '2026-01-01T00:00:00Z', ...more,
});
const groups = [
  { receiver: { name: 'pager' }, labels: { alertname: 'A' }, alerts: [alert('1'), alert('2', { silencedBy: ['s'] }), alert('3', {}, { startsAt: '2026-01-02T00:00:00Z' })] },
  { receiver: { name: 'chat' }, labels: {}, alerts: [alert('1'), alert('4', { inhibitedBy: ['1'], mutedBy: ['night'] })] },
];
const view = (text = '') => viewFromAddress(text);

test('the view lives in the address', () => {
  for (const text of ['', '?silenced=true', '?filter=a%3D%22x+y%22&receiver=pager&active=false&muted=true&why=0f']) {
    const path = addressOfView(view(text));
    assert.deepEqual(view(path.slice('alerts'.length)), view(text));
  }
  assert.equal(addressOfView(view()), 'alerts');
  assert.deepEqual(view('?silenced=false&filter={a="1",b=~"2"}&filter=broken').filter.map(({ name }) => name), ['a', 'b']);
});

test('an alert has all reasons for its silence as states', () => {
  assert.deepEqual(statesOf(groups[1].alerts[1]), ['inhibited', 'muted']);
  assert.deepEqual(statesOf(alert('1')), ['active']);
  assert.deepEqual(statesOf(alert('1', { state: 'unprocessed' })), ['unprocessed']);
  assert.deepEqual(statesOf({}), ['active']);
});

test('every reason must be asked for', () => {
  const [both] = groups[1].alerts.slice(1);
  assert.equal(isShown(both, view('?inhibited=true')), false);
  assert.equal(isShown(both, view('?inhibited=true&muted=true&active=false')), true);
  assert.equal(isShown(alert('1', { state: 'unprocessed' }), view('?active=false')), false);
});

test('an alert in two groups counts once', () => {
  assert.deepEqual(counts(groups), { active: 2, silenced: 1, inhibited: 1, muted: 1 });
  const shown = shownGroups(groups, view());
  assert.deepEqual([shown.alerts, shown.hidden], [2, 2]);
});

test('groups show what is left of them, newest first, and vanish when nothing is', () => {
  assert.deepEqual(shownGroups(groups, view()).groups.map(({ receiver, alerts }) => [receiver, alerts.map(({ fingerprint }) => fingerprint)]),
    [['pager', ['3', '1']], ['chat', ['1']]]);
  assert.deepEqual(shownGroups(groups, view('?active=false&silenced=true')).groups.map(({ receiver }) => receiver), ['pager']);
  assert.deepEqual(shownGroups([{}], view()), { groups: [], alerts: 0, hidden: 0 });
  assert.notEqual(groupKey({ receiver: 'a', labels: { b: 'c' } }), groupKey({ receiver: 'a', labels: {} }));
});

test('an alert repeats no label of its group', () => {
  assert.deepEqual(Object.entries(ownLabels({ z: '1', alertname: 'A', b: '2', c: '3' }, { b: '2', c: '4' })), [['alertname', 'A'], ['c', '3'], ['z', '1']]);
});

test('the filter offers what the alerts have, up to a limit', () => {
  assert.deepEqual(offers(groups).slice(0, 3), ['alertname="A"', 'n="1"', 'n="2"']);
  assert.equal(offers(groups, 2).length, 2);
});

test('annotations begin with the summary', () => {
  assert.deepEqual(annotations({ annotations: { a: '1', description: '2', summary: '3' } }).map(([name]) => name), ['summary', 'description', 'a']);
  assert.deepEqual(annotations({}), []);
});

test('only addresses of the web become links', () => {
  for (const text of ['javascript:alert(1)', 'data:text/html,x', ' http://a', 'ftp://a', '', undefined, 'http://', '//a']) assert.equal(webAddress(text), undefined, text);
  assert.equal(webAddress('HTTPS://a.example/b'), 'https://a.example/b');
  assert.deepEqual(linkPieces('see https://a.example/x?y=1), or http://b.'), [
    { text: 'see ' }, { text: 'https://a.example/x?y=1', href: 'https://a.example/x?y=1' }, { text: '), or ' }, { text: 'http://b', href: 'http://b/' }, { text: '.' }]);
  assert.deepEqual(linkPieces('javascript:alert(1)'), [{ text: 'javascript:alert(1)' }]);
  assert.deepEqual(linkPieces(''), []);
});

test('links of notifications lead to these pages', () => {
  const pages = [
    ['#/alerts?receiver=team-ops', 'alerts?receiver=team-ops'], ['#/alerts', 'alerts'],
    ['#/alerts?silenced=false&inhibited=true&filter=%7Ba%3D%22b%22%7D', 'alerts?silenced=false&inhibited=true&filter=a%3D%22b%22'],
    ['#/silences/new?filter=%7Ba%3D%22b%22%2Cc%3D~%22d%22%7D', 'silences?new&filter=a%3D%22b%22&filter=c%3D%7E%22d%22'],
    ['#/silences', 'silences'], ['#/silences/12-34', 'silences?id=12-34'], ['#/silences/12-34/edit', 'silences?edit=12-34'], ['#/status', 'status'],
  ];
  for (const [fragment, page] of pages) assert.equal(pageOfFragment(fragment), page);
  for (const fragment of ['', '#', '#top', '#/other', '#//evil.example']) assert.equal(pageOfFragment(fragment), undefined, fragment);
});

test('addresses leave out what is empty', () => {
  assert.equal(address('alerts', { receiver: '', why: undefined, silenced: false }), 'alerts');
  assert.equal(newSilenceAddress([equals('a', '1')]), 'silences?new&filter=a%3D%221%22');
  assert.equal(silenceAddress('a&b'), 'silences?id=a%26b');
});

test('times are said in two units, and year one is no time', () => {
  const texts = [[0, '0s'], [12400, '12s'], [60000, '1m'], [250000, '4m 10s'], [11100000, '3h 5m'], [187200000, '2d 4h'], [-5, '0s'], [86400000 * 400, '400d']];
  for (const [span, text] of texts) assert.equal(spanText(span), text);
  assert.equal(relativeText(1000, 61000), '1m ago');
  assert.equal(relativeText(61000, 1000), 'in 1m');
  assert.equal(relativeText(1000, 1500), 'now');
  assert.equal(relativeText(undefined, 0), '–');
  for (const text of ['0001-01-01T00:00:00Z', '', undefined, null, 'soon', 17]) assert.equal(moment(text), undefined);
  assert.equal(moment('1970-01-01T00:00:01.5Z'), 1500);
});
