// One group of alerts as a card: its receiver and labels, and an alert in each row with what can be done about it.

import { h } from '../app/Dom.js';
import { address, newSilenceAddress, silenceAddress } from './Addresses.js';
import { annotations, groupKey, linkPieces, ownLabels, statesOf, webAddress } from './AlertsLogic.js';
import { Labels, Moment, stateTones, Tag } from './Labels.js';
import { matchersOfLabels, equals } from './Matchers.js';

/// Alerts of a group drawn at first; the rest on demand.
const alertsAtFirst = 30;

/// `actions`: isOpen, isWhole, features, why (a fingerprint), place(fingerprint) → what stands under that alert, narrow(label),
/// fold(), showAll(), explain(fingerprint).
export function AlertGroup(group, actions) {
  const { receiver, labels, alerts } = group;
  const key = groupKey(group);
  const shown = actions.isWhole ? alerts : alerts.slice(0, alertsAtFirst);
  const hasLabels = Object.keys(labels).length > 0;
  return h('section', { class: 'card alert-group', 'data-key': key, 'aria-label': `Alerts for ${receiver}` },
    h('div', { class: 'group-head' },
      h('button', { type: 'button', class: 'icon fold', 'aria-expanded': String(actions.isOpen), 'aria-label': 'Alerts of this group', 'data-focus': 'fold', onclick: actions.fold }, actions.isOpen ? '▾' : '▸'),
      h('span', { class: 'group-labels' }, hasLabels ? Labels(labels, { press: actions.narrow }) : h('span', { class: 'muted' }, 'not grouped')),
      h('span', { class: 'to' }, `→ ${receiver}`), h('span', { class: 'amount' }, String(alerts.length))),
    actions.isOpen ? [shown.map((alert) => Alert(alert, labels, actions)),
      shown.length < alerts.length ? h('div', { class: 'more' }, h('button', { type: 'button', class: 'link', onclick: actions.showAll }, `Show all ${alerts.length} alerts`)) : undefined] : undefined);
}

function Alert(alert, groupLabels, actions) {
  const labels = ownLabels(alert.labels, groupLabels);
  const source = webAddress(alert.generatorURL);
  const isExplained = actions.why === alert.fingerprint;
  const name = alert.labels?.alertname;
  return h('article', { class: 'alert', 'data-key': `${groupKey({ receiver: '', labels: groupLabels })} ${alert.fingerprint}` },
    h('div', { class: 'alert-head' }, h('span', { class: 'states' }, statesOf(alert).map((state) => Tag(state, stateTones[state]))),
      h('span', { class: 'since', title: 'Since' }, Moment(alert.startsAt)),
      h('span', { class: 'actions' },
        h('a', { href: newSilenceAddress(matchersOfLabels(alert.labels ?? {})), 'data-focus': 'silence' }, 'Silence'),
        actions.features.explain ? h('button', { type: 'button', class: 'link', 'aria-expanded': String(isExplained), 'data-focus': 'why', onclick: () => actions.explain(alert.fingerprint) }, 'Why?') : undefined,
        actions.features.history && name ? h('a', { href: address('history', { filter: [equals('alertname', name)] }), 'data-focus': 'history' }, 'History') : undefined,
        source ? h('a', { href: source, rel: 'noreferrer', 'data-focus': 'source' }, 'Source ↗') : undefined)),
    Object.keys(labels).length > 0 ? Labels(labels, { press: actions.narrow }) : undefined,
    Annotations(alert), Quiet(alert, actions), actions.place(alert.fingerprint));
}

function Annotations(alert) {
  const entries = annotations(alert);
  if (entries.length === 0) return undefined;
  return h('dl', { class: 'annotations' }, entries.map(([name, value]) => [h('dt', {}, name), h('dd', {}, linkPieces(value).map(({ text, href }) =>
    (href ? h('a', { href, rel: 'noreferrer' }, text) : text)))]));
}

/// Who keeps the alert quiet.
function Quiet({ status = {} }, { features }) {
  const { silencedBy = [], inhibitedBy = [], mutedBy = [] } = status;
  const line = (title, items) => (items.length > 0 ? h('div', { class: 'quiet' }, h('span', { class: 'muted' }, title), items) : undefined);
  return [
    line('silenced by', silencedBy.map((id) => h('a', { href: silenceAddress(id) }, id.slice(0, 8)))),
    line('inhibited by', inhibitedBy.map((fingerprint) => (features.explain
      ? h('a', { href: address('alerts', { inhibited: 'true', why: fingerprint }) }, fingerprint) : h('code', {}, fingerprint)))),
    line('muted in', mutedBy.map((name) => h('span', {}, name))),
  ];
}
