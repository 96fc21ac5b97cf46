import { test } from 'node:test';
import assert from 'node:assert/strict';
import { addressOfFilter, agoText, count, filterFromAddress, matching, pools, spanText } from '../../web/targets/TargetsLogic.js';

const target = (scrapePool, address, health, more = {}) => ({
  scrapePool, scrapeUrl: `http://${address}/metrics`, health, labels: { job: scrapePool, instance: address }, lastError: '', ...more,
});
const targets = [target('node', 'b:1', 'up'), target('api', 'c:1', 'down', { lastError: 'connection refused' }), target('node', 'a:1', 'unknown')];

test('targets are grouped by pool and put in order', () => {
  assert.deepEqual(pools(targets).map(({ pool, up, targets }) => [pool, up, targets.map(({ labels }) => labels.instance)]),
    [['api', 0, ['c:1']], ['node', 1, ['a:1', 'b:1']]]);
});

test('a filter wants every word, in labels, addresses or errors', () => {
  const found = (search, health = '') => matching(targets, { search, health }).map(({ labels }) => labels.instance);
  assert.deepEqual(found(''), ['b:1', 'c:1', 'a:1']);
  assert.deepEqual(found('job="node" A:1'), ['a:1']);
  assert.deepEqual(found('REFUSED'), ['c:1']);
  assert.deepEqual(found('', 'down'), ['c:1']);
  assert.deepEqual(found('node', 'down'), []);
});

test('targets are counted by health', () => {
  assert.deepEqual(['', 'up', 'down', 'unknown'].map((health) => count(targets, health)), [3, 1, 1, 1]);
});

test('spans are short texts', () => {
  const texts = [[0.0004, '0.4 ms'], [0.012, '12 ms'], [0.9996, '1.0 s'], [3.21, '3.2 s'], [250, '4m 10s'], [7260, '2h 1m'], [-1, '–'], [NaN, '–']];
  for (const [seconds, text] of texts) assert.equal(spanText(seconds), text);
});

test('a target that was never scraped says so', () => {
  assert.equal(agoText('0001-01-01T00:00:00Z', 0), 'never');
  assert.equal(agoText('1970-01-01T00:00:10Z', 14100), '4.1 s ago');
});

test('the filter lives in the address', () => {
  for (const filter of [{ health: '', search: '' }, { health: 'down', search: 'job="a b&c"' }]) {
    assert.deepEqual(filterFromAddress(addressOfFilter(filter)), filter);
  }
  assert.equal(filterFromAddress('?health=broken').health, '');
});
