// The receivers, each with its alerts and a test: what every integration did with a made-up alert, and what was said meanwhile.

import { h, fill } from '../app/Dom.js';
import * as Api from './Api.js';
import { address } from './Addresses.js';
import { Muted, Refusal, Tag } from './Labels.js';
import { outcomeTone, textOf } from './RoutesLogic.js';

/// `canTest`: the server sends tests.
export const ReceiverList = (receivers, { canTest }) => h('div', { class: 'card receivers' }, receivers.map(({ name }) => Receiver(name, canTest)));

function Receiver(name, canTest) {
  const results = h('div', { role: 'status' });
  const button = h('button', { type: 'button', onclick: test }, 'Send test');

  async function test() {
    button.disabled = true;
    fill(results, Muted('sending…'));
    try {
      fill(results, Results(await Api.testReceiver(name)));
    } catch (error) {
      fill(results, Refusal(error));
    }
    button.disabled = false;
  }

  return h('div', { class: 'receiver' },
    h('div', { class: 'receiver-head' }, h('b', {}, name), h('span', { class: 'actions' }, h('a', { href: address('alerts', { receiver: name }) }, 'Alerts')),
      canTest ? button : undefined), results);
}

function Results(results) {
  if (!Array.isArray(results) || results.length === 0) return Muted('This receiver has no integrations: nothing is sent.');
  return h('div', { class: 'test-results' }, results.map(({ integration, index, outcome, message, exchange }) => {
    const text = textOf(exchange);
    const name = `${integration ?? '?'}${index > 0 ? ` ${index + 1}` : ''}`;
    return h('div', {},
      h('div', { class: 'test-result' }, h('span', {}, name), Tag(outcome ?? 'unknown', outcomeTone(outcome)), h('span', { class: 'message' }, message ?? '')),
      text === '' ? undefined : h('details', {}, h('summary', {}, 'What was said'), h('pre', {}, text)));
  }));
}
