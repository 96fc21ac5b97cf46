import { test } from 'node:test';
import assert from 'node:assert/strict';
import * as Api from '../../web/alertmanager/Api.js';

/// Calls `body` with a server that answers { status, text } per address; returns what was asked.
async function serving(answers, body) {
  const asked = [];
  globalThis.fetch = async (address, { method, body: sent }) => {
    asked.push({ address, method, sent });
    const found = answers[address] ?? answers['*'];
    if (found === undefined) throw new TypeError('failed to fetch');
    return { ok: found.status < 400, status: found.status, text: async () => found.text };
  };
  await body();
  delete globalThis.fetch;
  return asked;
}

test('refusals are read from every shape in which they come', () => {
  assert.equal(Api.errorText('"bad matcher format: foo"\n', 400), 'bad matcher format: foo');
  assert.equal(Api.errorText('{"code":602,"message":"comment in body is required"}', 422), 'comment in body is required');
  assert.equal(Api.errorText('not found\n', 404), 'not found');
  assert.equal(Api.errorText('', 502), 'The server answered with status 502.');
  assert.equal(Api.errorText('null', 500), 'null');
});

test('addresses are relative, lists repeat their name, and receivers are asked for literally', async () => {
  const asked = await serving({ '*': { status: 200, text: '[]' } }, async () => {
    await Api.alertGroups({ filter: [{ name: 'a', value: 'x&y', isEqual: true, isRegex: false }], receiver: 'team.ops (1)' });
    await Api.expireSilence('a/b');
    await Api.testReceiver('web hook/1');
  });
  const parameters = new URLSearchParams(asked[0].address.split('?')[1]);
  assert.match(asked[0].address, /^api\/v2\/alerts\/groups\?/);
  assert.deepEqual(parameters.getAll('filter'), ['a="x&y"']);
  assert.equal(parameters.get('receiver'), 'team\\.ops \\(1\\)');
  assert.equal(parameters.get('muted'), 'true');
  assert.deepEqual(asked.slice(1).map(({ address, method }) => `${method} ${address}`), ['DELETE api/v2/silence/a%2Fb', 'POST api/v2/receivers/web%20hook%2F1/test']);
});

test('an answer that is none is an error with words', async () => {
  await serving({ '*': { status: 200, text: '<html>' } }, () => assert.rejects(Api.silences(), { status: 200, message: /not JSON/ }));
  await serving({}, () => assert.rejects(Api.silences(), { status: 0, message: 'The server does not answer.' }));
  await serving({ '*': { status: 404, text: '"no such silence"' } }, () => assert.rejects(Api.silence('x'), { status: 404, message: 'no such silence' }));
  await serving({ '*': { status: 200, text: '' } }, async () => assert.equal(await Api.expireSilence('x'), undefined));
});

test('a server without our endpoints is known by its 404, and asked once', async () => {
  const asked = await serving({ 'api/v2/explain/routes': { status: 404, text: '{"code":404}' }, 'api/v2/history?limit=1': { status: 200, text: '{"events":[]}' } }, async () => {
    assert.deepEqual(await Api.features(), { explain: false, history: true });
    assert.deepEqual(await Api.features(), { explain: false, history: true });
  });
  assert.equal(asked.length, 2);
});
