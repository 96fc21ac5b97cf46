// “Why was I (not) notified?”: the server's verdict on one alert, and what it rests on.
//
//   verdict
//   silenced by … · inhibited by …
//   → receiver   group {…}   next flush in 12s
//       webhook   last attempt 2m ago: ok   because: the first notification   again in 3h

import { h, fill } from '../app/Dom.js';
import * as Api from './Api.js';
import { anyAlertAddress, silenceAddress } from './Addresses.js';
import { Labels, Moment, Muted, Refusal, Tag } from './Labels.js';
import { textOf, outcomeTone } from './RoutesLogic.js';
import { explanation } from './WhyLogic.js';

/// Returns { element, show(fingerprint), refresh, end }; '' shows nothing.
export function WhyPanel({ close }) {
  let shown = '', request;
  const body = h('div', {});
  const leave = (event) => {
    if (event.key === 'Escape') close();
  };
  const element = h('div', { class: 'why', role: 'region', 'aria-label': 'Why was I (not) notified?', onkeydown: leave },
    h('div', { class: 'why-head' }, h('b', {}, 'Why was I (not) notified?'),
      h('button', { type: 'button', class: 'icon', 'aria-label': 'Close', 'data-focus': 'close', onclick: close }, '×')), body);

  async function load() {
    request?.abort();
    if (shown === '') return;
    const mine = request = new AbortController();
    try {
      fill(body, Explanation(await Api.explain({ fingerprint: shown }, mine.signal), { hasLabels: false }));
    } catch (error) {
      if (error.name === 'AbortError' || mine !== request) return;
      fill(body, error.status === 404 ? h('p', { class: 'verdict' }, 'No alert with this fingerprint is known.') : Refusal(error));
    }
  }

  return {
    element,
    show: (fingerprint) => {
      if (fingerprint === shown) return;
      shown = fingerprint;
      fill(body, h('p', { class: 'muted' }, 'asking…'));
      load();
    },
    // Not under the reader's hands.
    refresh: () => {
      if (!body.contains(document.activeElement)) load();
    },
    end: () => request?.abort(),
  };
}

/// The answer of `explain` as elements.
export function Explanation(answer, { hasLabels }) {
  const { labels, isKnown, verdict, silencedBy, inhibitedBy, routes } = explanation(answer);
  return h('div', { class: 'explanation' },
    hasLabels ? Labels(labels) : undefined,
    verdict === '' ? undefined : h('p', { class: 'verdict' }, verdict),
    isKnown ? undefined : h('p', { class: 'muted' }, 'No such alert is known now; this is what would happen to one.'),
    silencedBy.map(({ id = '', comment, createdBy, endsAt }) => Cause('Silenced by', h('a', { href: silenceAddress(id) }, comment || id),
      createdBy ? Muted(createdBy) : undefined, endsAt ? Muted('ends ', Moment(endsAt)) : undefined)),
    inhibitedBy.map(({ fingerprint, labels, rule }) => Cause('Inhibited by', labels ? Labels(labels) : undefined,
      fingerprint ? h('a', { href: anyAlertAddress({ why: fingerprint }) }, 'its alert') : undefined,
      rule ? Muted(`rule ${textOf(rule)}`) : undefined)),
    routes.map(RouteView), routes.length === 0 ? h('p', { class: 'muted' }, 'No route is taken.') : undefined);
}

const columns = ['Integration', 'Last decision', 'Because', 'Last attempt', 'Outcome', 'Repeats'];

const Cause = (title, ...parts) => h('div', { class: 'cause' }, Muted(title), parts);

function RouteView(route) {
  return h('div', { class: 'why-route' },
    h('div', { class: 'why-route-head' }, h('b', {}, `→ ${route.receiver}`),
      Object.keys(route.groupLabels).length > 0 ? h('span', {}, Muted('group '), Labels(route.groupLabels)) : undefined,
      route.nextFlush !== undefined ? Muted('next flush ', Moment(route.nextFlush)) : Muted(route.groupExists ? 'group exists' : 'no such group now'),
      route.mutedBy.map((name) => Tag(`muted in ${name}`, 'warn'))),
    route.integrations.length > 0 ? h('div', { class: 'why-frame' }, h('table', {},
      h('thead', {}, h('tr', {}, columns.map((title) => h('th', { scope: 'col' }, title)))),
      h('tbody', {}, route.integrations.map((integration) => h('tr', {}, cells(integration)))))) : undefined);
}

/// Each cell carries its column's title, which narrow screens show instead of the head.
function cells(integration) {
  const { name, decision, reason, lastAttempt, outcome, nextRepeat } = integration;
  const contents = [name, decision || '–', reason || '–', lastAttempt === undefined ? 'never' : Moment(lastAttempt),
    outcome === '' ? '–' : h('span', { class: outcomeTone(outcome) || undefined }, outcome), Moment(nextRepeat)];
  return contents.map((content, column) => h('td', { 'data-title': columns[column] }, content));
}
