import { beforeEach, mock, test } from 'node:test';
import assert from 'node:assert/strict';
import { Refresh } from '../../web/alertmanager/Refresh.js';

let listeners;
const settled = () => new Promise((resolve) => setImmediate(resolve));

beforeEach(() => {
  listeners = new Set();
  globalThis.document = { hidden: false, addEventListener: (_, call) => listeners.add(call), removeEventListener: (_, call) => listeners.delete(call) };
  mock.timers.reset();
  mock.timers.enable({ apis: ['setTimeout'] });
});

test('a page asks at once, then every so often, until it ends', async () => {
  let asked = 0;
  const refresh = Refresh(async () => { asked += 1; }, assert.fail, 15000);
  await settled();
  assert.equal(asked, 1);
  mock.timers.tick(14999);
  await settled();
  assert.equal(asked, 1);
  mock.timers.tick(1);
  await settled();
  assert.equal(asked, 2);
  refresh.end();
  mock.timers.tick(60000);
  await settled();
  assert.deepEqual([asked, listeners.size], [2, 0]);
});

test('nobody looks, nobody asks; whoever comes back is served at once', async () => {
  let asked = 0;
  const refresh = Refresh(async () => { asked += 1; }, assert.fail, 1000);
  await settled();
  document.hidden = true;
  for (let round = 0; round < 3; round += 1) {
    mock.timers.tick(1000);
    await settled();
  }
  assert.equal(asked, 1);
  document.hidden = false;
  for (const call of listeners) call();
  await settled();
  assert.equal(asked, 2);
  refresh.end();
});

test('a new question ends the one before, whose failure is not shown', async () => {
  const signals = [], shown = [];
  const refresh = Refresh((signal) => {
    signals.push(signal);
    return new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(new Error('late')));
    });
  }, (error) => shown.push(error), 1000);
  refresh.now();
  await settled();
  assert.deepEqual([signals[0].aborted, signals[1].aborted, shown.length], [true, false, 0]);
  refresh.end();
  await settled();
  mock.timers.tick(60000);
  await settled();
  assert.deepEqual([signals[1].aborted, shown.length, signals.length], [true, 0, 2]);
});

test('a failure is shown, and asked about again', async () => {
  const shown = [];
  const refresh = Refresh(async () => { throw new Error('no'); }, (error) => shown.push(error.message), 1000);
  await settled();
  mock.timers.tick(1000);
  await settled();
  assert.deepEqual(shown, ['no', 'no']);
  refresh.end();
});
