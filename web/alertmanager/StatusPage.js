// The status page: what runs, the tree of routes with a box to try labels in it, receivers with a test, and the configuration.

import { h, fill } from '../app/Dom.js';
import * as Api from './Api.js';
import { address } from './Addresses.js';
import { Moment, Muted, Refusal, Tag } from './Labels.js';
import { labelsText, parseLabels } from './Matchers.js';
import { ReceiverList } from './ReceiverList.js';
import { routeCount, takenKeys } from './RoutesLogic.js';
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
    Api.receivers(request.signal).then((receivers) => fill(sections.receivers, Title('Receivers', Muted(String(receivers.length))),
      ReceiverList(receivers, { canTest: explain }))).catch(failed(sections.receivers));
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
  const after = (text) => (text ? Muted(` ${text}`) : undefined);
  const { version, revision, buildDate, goVersion } = versionInfo;
  const tone = { ready: 'good', settling: 'warn' }[cluster.status] ?? '';
  fill(element, h('dl', { class: 'card facts' },
    fact('Version', version || '–', after(revision?.slice(0, 12))), fact('Started', Moment(uptime)), fact('Built', buildDate || '–', after(goVersion)),
    fact('Cluster', Tag(cluster.status ?? 'unknown', tone), after(cluster.name),
      (cluster.peers ?? []).map((peer) => h('div', { class: 'muted' }, `${peer.name} `, h('code', {}, peer.address))))));
}

function Routes(element, tree, signal) {
  const labels = new URLSearchParams(location.search).get('labels') ?? '';
  const answer = h('div', {});
  const place = h('div', {});
  const input = h('input', {
    type: 'text', value: labels, placeholder: 'alertname=InstanceDown, severity=page', 'aria-label': 'Labels of an alert',
    autocomplete: 'off', spellcheck: 'false',
  });
  const empty = () => {
    input.value = '';
    test();
    input.focus();
  };
  const submit = (event) => {
    event.preventDefault();
    test();
  };
  const clear = h('button', { type: 'button', onclick: empty }, 'Clear');
  const form = h('form', { class: 'bar', onsubmit: submit }, input, h('button', { type: 'submit', class: 'primary' }, 'Show the way'), clear);
  fill(element, Title('Routes', Muted(String(routeCount(tree)))), h('div', { class: 'card route-card' }, form, answer, place));
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

function Configuration(element, text) {
  const copied = h('span', { class: 'muted', role: 'status' });
  const copy = () => navigator.clipboard.writeText(text).then(() => fill(copied, 'copied'), () => fill(copied, 'not allowed'));
  fill(element, Title('Configuration'), h('div', { class: 'card config' },
    // Browsers have a clipboard where the page comes by HTTPS or from this machine.
    navigator.clipboard ? h('div', { class: 'config-head' }, copied, h('button', { type: 'button', onclick: copy }, 'Copy')) : undefined,
    h('pre', { tabindex: 0 }, text)));
}
