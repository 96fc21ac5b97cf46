// What the bot's page computes.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { approvalOf, ordered, span, tiles, tone } from '../../web/bot/BotLogic.js';

test('spans are short and never negative', () => {
  assert.deepEqual([-5, 42_000, 180_000, 7_200_000].map(span), ['0 s', '42 s', '3 min', '2 h']);
});

test('open incidents come first, newest first', () => {
  const list = [{ id: 1, opened: 1 }, { id: 2, opened: 3, resolved: 4 }, { id: 3, opened: 2 }];
  assert.deepEqual(ordered(list).map((one) => one.id), [3, 1, 2]);
});

test('a link is an identifier and a signature, nothing else', () => {
  assert.deepEqual(approvalOf('/approve/5b1e-0', '?sig=abc'), { id: '5b1e-0', signature: 'abc' });
  assert.equal(approvalOf('/approve/../x', '?sig=abc'), undefined);
  assert.equal(approvalOf('/', ''), undefined);
});

test('states have the colour of what they mean', () => {
  assert.equal(tone({ state: 'escalated' }), 'bad');
  assert.equal(tone({ state: 'verified' }), 'good');
  assert.equal(tone({ state: 'waiting (cooldown)' }), 'warn');
});

test('numbers of the page', () => {
  const data = { incidents: [{ state: 'escalated', escalated: 1 }, { state: 'closed', resolved: 2 }], approvals: [], circuits: [], actions: { last_hour: 10, limit: 10 } };
  assert.deepEqual(tiles(data).map((tile) => [tile.value, tile.tone]), [[1, ''], [1, 'bad'], [0, ''], ['10 / 10', 'bad'], [0, '']]);
});
