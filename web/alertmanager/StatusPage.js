// The status page: what runs, the tree of routes with a box to try labels in it, receivers with a test, and the configuration.

import { h, fill } from '../app/Dom.js';
import * as Api from './Api.js';
import { address } from './Addresses.js';
import { Moment, Refusal, Tag } from './Labels.js';
import { labelsText, parseLabels } from './Matchers.js';
import { exchangeText, outcomeTone, routeCount, takenKeys } from './RoutesLogic.js';
import { RouteTree } from './RouteTree.js';
import { Explanation } from './WhyPanel.js';

/// Fills `element`; returns what ends the page.
export function StatusPage(element) {
  const request = new AbortController();
  const sections = { about: h('section', {}), routes: h('section', {}), receivers: h('section', {}), config: h('section', {}) };
  fill(element, sections.about, sections.routes, sections.receivers, sections.config);
  const failed = (section) => (error) => {
    if (error.name !== 'AbortError') fill(section, Refusal(error));
  };
  const drawAbout = () => Api.status(request.signal).then((status) => {
    About(sections.about, status ?? {});
    Configuration(sections.config, status?.config?.original ?? '');
  }).catch(failed(sections.about));

  drawAbout();
  Api.features().then(({ explain }) => {
    Api.receivers(request.signal).then((receivers) => Receivers(sections.receivers, receivers ?? [], explain)).catch(failed(sections.receivers));
    if (explain) Api.routes(request.signal).then((tree) => Routes(sections.routes, tree, request.signal)).catch(failed(sections.routes));
  });
  window.addEventListener('minprom-settings', drawAbout);
  return () => {
    request.abort();
    window.removeEventListener('minprom-settings', drawAbout);
  };
}

const Title = (text, ...more) => h('h2', { class: 'section' }, text, more);

function About(element, { versionInfo = {}, uptime, cluster = {} }) {
  const fact = (name, ...value) => h('div', {}, h('dt', {}, name), h('dd', {}, value));
  const peers = cluster.peers ?? [];
  fill(element, h('dl', { class: 'card facts' },
    fact('Version', versionInfo.version || '–', versionInfo.revision ? h('span', { class: 'muted' }, ` ${versionInfo.revision.slice(0, 12)}`) : undefined),
    fact('Runs since', Moment(uptime)),
    fact('Built', versionInfo.buildDate || '–', versionInfo.goVersion ? h('span', { class: 'muted' }, ` ${versionInfo.goVersion}`) : undefined),
    fact('Cluster', Tag(cluster.status ?? 'unknown', { ready: 'good', settling: 'warn' }[cluster.status] ?? ''), cluster.name ? h('code', {}, ` ${cluster.name}`) : undefined,
      peers.map((peer) => h('div', { class: 'muted' }, `${peer.name} `, h('code', {}, peer.address))))));
}

function Routes(element, tree, signal) {
  const labels = new URLSearchParams(location.search).get('labels') ?? '';
  const answer = h('div', {});
  const place = h('div', {});
  const input = h('input', { type: 'text', value: labels, placeholder: 'alertname=InstanceDown, severity=page', 'aria-label': 'Labels of an alert', autocomplete: 'off', spellcheck: 'false' });
  const clear = h('button', { type: 'button', onclick: () => {
    input.value = '';
    test();
    input.focus();
  } }, 'Clear');
  const form = h('form', { class: 'bar', onsubmit: (event) => {
    event.preventDefault();
    test();
  } }, input, h('button', { type: 'submit', class: 'primary' }, 'Show the way'), clear);
  fill(element, Title('Routes', h('span', { class: 'muted' }, String(routeCount(tree)))), h('div', { class: 'card route-card' }, form, answer, place));
  RouteTree(place, tree, new Set());

  async function test() {
    const text = input.value.trim();
    history.replaceState(null, '', address('status', { labels: text }));
    const { labels, error } = parseLabels(text);
    clear.hidden = text === '';
    if (error !== undefined) input.setAttribute('aria-invalid', 'true');
    else input.removeAttribute('aria-invalid');
    fill(answer, error === undefined ? undefined : Refusal({ message: error }));
    if (error !== undefined || text === '') {
      RouteTree(place, tree, new Set());
      return;
    }
    try {
      const explanation = await Api.explain({ labels: labelsText(labels) }, signal);
      RouteTree(place, tree, takenKeys(explanation));
      fill(answer, h('div', { class: 'why' }, Explanation(explanation, { hasLabels: false })));
    } catch (refusal) {
      if (refusal.name !== 'AbortError') fill(answer, Refusal(refusal));
    }
  }
  test();
}

function Receivers(element, receivers, canTest) {
  fill(element, Title('Receivers', h('span', { class: 'muted' }, String(receivers.length))),
    h('div', { class: 'card receivers' }, receivers.map(({ name }) => {
      const results = h('div', {});
      const button = h('button', { type: 'button', onclick: async () => {
        button.disabled = true;
        fill(results, h('p', { class: 'muted' }, 'sending…'));
        try {
          fill(results, TestResults(await Api.testReceiver(name) ?? []));
        } catch (error) {
          fill(results, Refusal(error));
        }
        button.disabled = false;
      } }, 'Send test');
      return h('div', { class: 'receiver' }, h('div', { class: 'receiver-head' }, h('b', {}, name), h('span', { class: 'actions' },
        h('a', { href: address('alerts', { receiver: name }) }, 'Alerts')), canTest ? button : undefined), results);
    })));
}

function TestResults(results) {
  if (!Array.isArray(results) || results.length === 0) return h('p', { class: 'muted' }, 'This receiver has no integrations: nothing is sent.');
  return h('div', { class: 'test-results', role: 'status' }, results.map(({ integration, index, outcome, message, exchange }) => {
    const text = exchangeText(exchange);
    return h('div', {}, h('div', { class: 'test-result' }, h('span', {}, `${integration ?? '?'}${index > 0 ? ` ${index + 1}` : ''}`), Tag(outcome ?? 'unknown', outcomeTone(outcome)), h('span', { class: 'message' }, message ?? '')),
      text === '' ? undefined : h('details', {}, h('summary', {}, 'What was said'), h('pre', {}, text)));
  }));
}

function Configuration(element, text) {
  const copied = h('span', { class: 'muted', role: 'status' });
  fill(element, Title('Configuration'), h('div', { class: 'card config' },
    navigator.clipboard ? h('div', { class: 'config-head' }, copied, h('button', { type: 'button', onclick: () => navigator.clipboard.writeText(text).then(() => fill(copied, 'copied'), () => fill(copied, 'not allowed')) }, 'Copy')) : undefined,
    h('pre', { tabindex: 0 }, text)));
}
