import { test } from 'node:test';
import assert from 'node:assert/strict';
import { complete, placeAt, rank } from '../../web/query/Completion.js';
import { words } from '../../web/query/Functions.js';

/// The place at `|`.
const at = (marked) => placeAt(marked.replace('|', ''), marked.indexOf('|'));

test('words, labels and values are told apart', () => {
  assert.deepEqual(at('ra|'), { kind: 'word', from: 0, prefix: 'ra' });
  assert.deepEqual(at('sum(ra|'), { kind: 'word', from: 4, prefix: 'ra' });
  assert.deepEqual(at('up{jo|}'), { kind: 'label', from: 3, prefix: 'jo', metric: 'up' });
  assert.deepEqual(at('up{job="node", |}'), { kind: 'label', from: 15, prefix: '', metric: 'up' });
  assert.deepEqual(at('up{job=~"no|"}'), { kind: 'value', from: 9, prefix: 'no', metric: 'up', label: 'job' });
  assert.deepEqual(at('sum by (mo|'), { kind: 'label', from: 8, prefix: 'mo', metric: '' });
  assert.deepEqual(at('a / on(in|'), { kind: 'label', from: 7, prefix: 'in', metric: '' });
  assert.equal(at('{jo|').kind, 'label');
});

test('nothing is offered in durations, comments, numbers and free strings', () => {
  for (const marked of ['rate(x[5|', 'rate(x[|', 'up # ra|', '10|', 'label_replace(up, "a|', 'up{job="a\\"|x"']) {
    assert.ok(['none', 'value'].includes(at(marked).kind), marked);
  }
  assert.equal(at('rate(x[5m|').kind, 'none');
});

test('brackets inside strings are text', () => {
  assert.deepEqual(at('up{job="a{b(["} + ra|'), { kind: 'word', from: 18, prefix: 'ra' });
});

test('what starts with the typed text comes first, then parts, then the rest', () => {
  const found = rank(['node_load1', 'xload', 'load_average', 'up'].map((text) => ({ text })), 'load').map(({ text }) => text);
  assert.deepEqual(found, ['load_average', 'node_load1', 'xload']);
});

test('a word that is whole is not offered again', () => {
  assert.deepEqual(rank([{ text: 'up' }], 'up'), []);
});

test('taking a word replaces the one at the cursor, and a function gets its parentheses', () => {
  const place = placeAt('sum(ra', 6);
  assert.deepEqual(complete('sum(ra)', 6, place, { text: 'rate', kind: 'function' }), { text: 'sum(rate())', cursor: 9 });
  assert.deepEqual(complete('sum(ra(x))', 6, place, { text: 'rate', kind: 'function' }), { text: 'sum(rate(x))', cursor: 8 });
  assert.deepEqual(complete('up{job="no"}', 10, placeAt('up{job="no"}', 10), { text: 'node', kind: 'value' }), { text: 'up{job="node"}', cursor: 12 });
});

test('every place of any text has an answer', () => {
  const text = 'sum by (a, b) (rate(x{y=~"z\\"\'`", w!=\'q\'}[5m:1m] offset 5m)) # end\n} ) ] {';
  for (let cursor = 0; cursor <= text.length; cursor += 1) {
    const place = placeAt(text, cursor);
    assert.ok(place.from <= cursor && ['word', 'label', 'value', 'none'].includes(place.kind), `${cursor}`);
  }
});

test('no word is listed twice', () => {
  assert.equal(new Set(words.map(({ text }) => text)).size, words.length);
});
