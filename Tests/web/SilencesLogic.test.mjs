import { test } from 'node:test';
import assert from 'node:assert/strict';
import { addressOfView, count, draftOf, emptyDraft, inZone, matching, request, span, viewFromAddress, whenText, withDuration, withEnd } from '../../web/alertmanager/SilencesLogic.js';
import { equals } from '../../web/alertmanager/Matchers.js';

const now = Date.parse('2026-01-31T12:00:00Z');
const silence = (id, state, startsAt, endsAt, more = {}) => ({ id, status: { state }, startsAt, endsAt, createdBy: 'ada', comment: 'because', matchers: [equals('job', id)], ...more });
const silences = [
  silence('a', 'active', '2026-01-31T11:00:00.250Z', '2026-01-31T15:00:00.250Z'), silence('b', 'active', '2026-01-31T10:00:00Z', '2026-01-31T13:00:00Z'),
  silence('c', 'pending', '2026-02-01T10:00:00Z', '2026-02-01T13:00:00Z'),
  silence('d', 'expired', '2026-01-01T00:00:00Z', '2026-01-01T02:00:00Z'), silence('e', 'expired', '2026-01-02T00:00:00Z', '2026-01-02T02:00:00Z'),
];
const draft = { ...emptyDraft, matchers: [equals('job', 'a')], author: 'ada', comment: 'because' };

test('the view lives in the address', () => {
  assert.deepEqual(viewFromAddress(''), { state: 'active', search: '', id: '', isNew: false, edit: '', filter: [], comment: '' });
  assert.deepEqual(viewFromAddress('?new&filter=a%3D%22b%22&comment=x'), { state: 'active', search: '', id: '', isNew: true, edit: '', filter: [equals('a', 'b')], comment: 'x' });
  assert.equal(addressOfView(viewFromAddress('?state=pending&search=a+b')), 'silences?state=pending&search=a+b');
  assert.equal(addressOfView(viewFromAddress('?state=broken')), 'silences');
});

test('what changes next comes first, what ended last is on top', () => {
  const ids = (state, search = '') => matching(silences, { state, search }).map(({ id }) => id);
  assert.deepEqual(ids('active'), ['b', 'a']);
  assert.deepEqual(ids('expired'), ['e', 'd']);
  assert.deepEqual(ids('active', 'ADA job="a"'), ['a']);
  assert.deepEqual(ids('active', 'grace'), []);
  assert.deepEqual(['active', 'pending', 'expired'].map((state) => count(silences, state)), [2, 1, 2]);
});

test('a silence says what happens next', () => {
  assert.deepEqual([silences[0], silences[2], silences[3]].map((one) => whenText(one, now)), ['ends in 3h', 'starts in 22h', 'ended 30d 10h ago']);
});

test('a draft lasts from now on unless a start or an end is written', () => {
  assert.deepEqual(span(draft, now, true), { start: now, end: now + 7200000 });
  assert.deepEqual(span({ ...draft, start: '2026-02-01 10:00' }, now, true), { start: now + 22 * 3600000, end: now + 24 * 3600000 });
  assert.deepEqual(span({ ...draft, end: '2026-01-31 12:30' }, now, true), { start: now, end: now + 1800000 });
});

test('times that make no sense name their field', () => {
  const field = (change) => span({ ...draft, ...change }, now, true).field;
  assert.equal(field({ start: 'soon' }), 'start');
  for (const duration of ['', '2', 'h', '-1h', '0h', '1h x']) assert.equal(field({ duration }), 'duration', duration);
  for (const end of ['later', '2026-01-31 11:00', '2026-13-01']) assert.equal(field({ end }), 'end', end);
  assert.equal(field({ start: '2026-01-30', end: '2026-01-31' }), 'end');
});

test('length and end follow each other', () => {
  const ended = withEnd(draft, '2026-01-31 13:30', now, true);
  assert.equal(ended.duration, '1h30m');
  assert.deepEqual(withDuration(ended, '4h'), { ...draft, duration: '4h' });
  assert.equal(withEnd(draft, 'la', now, true).duration, '2h');
});

test('a request says what is missing', () => {
  const missing = (change) => request({ ...draft, ...change }, now, true).field;
  assert.deepEqual([{ matchers: [] }, { duration: 'x' }, { author: ' ' }, { comment: '' }, {}].map(missing), ['matchers', 'duration', 'author', 'comment', undefined]);
});

test('a new silence is sent without an id', () => {
  assert.deepEqual(request({ ...draft, comment: ' because ' }, now, true).body, {
    matchers: [equals('job', 'a')], startsAt: '2026-01-31T12:00:00.000Z', endsAt: '2026-01-31T14:00:00.000Z', createdBy: 'ada', comment: 'because' });
});

test('an edited silence keeps its id and its start to the millisecond', () => {
  const edited = draftOf(silences[0], true);
  assert.equal(edited.start, '2026-01-31 11:00:00');
  const { body } = request(withDuration(edited, '8h'), now, true);
  assert.deepEqual([body.id, body.startsAt, body.endsAt], ['a', '2026-01-31T11:00:00.250Z', '2026-01-31T19:00:00.000Z']);
  assert.equal(request({ ...edited, start: '2026-01-31 12:30' }, now, true).body.startsAt, '2026-01-31T12:30:00.000Z');
});

test('an expired silence is made again as a new one of the same length', () => {
  const { id, start, end, duration, matchers } = draftOf(silences[3], true);
  assert.deepEqual({ id, start, end, duration, matchers }, { id: '', start: '', end: '', duration: '2h', matchers: [equals('job', 'd')] });
  assert.equal(draftOf(silence('f', 'expired', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z'), true).duration, '2h');
});

test('a change of the zone moves no silence', () => {
  const local = { ...draft, start: '2026-02-01 10:00:00', end: '2026-02-01 12:00:00' };
  const utc = inZone(local, false, true);
  assert.deepEqual(span(utc, now, true), span(local, now, false));
  assert.deepEqual(inZone(utc, true, false), local);
  assert.deepEqual(inZone({ ...draft, start: 'soon' }, false, true), { ...draft, start: 'soon' });
});

test('matchers of old versions are sent as equal ones', () => {
  assert.deepEqual(request({ ...draft, matchers: [{ name: 'a', value: 'b', isRegex: true }] }, now, true).body.matchers, [{ name: 'a', value: 'b', isRegex: true, isEqual: true }]);
});
