// One group of alerts as a card: its receiver and labels, and an alert in each row with what can be done about it.

import { h } from '../app/Dom.js';
import { address, anyAlertAddress, newSilenceAddress, silenceAddress } from './Addresses.js';
import { annotations, groupKey, linkPieces, ownLabels, statesOf, webAddress } from './AlertsLogic.js';
import { Labels, Moment, Muted, Press, stateTones, Tag } from './Labels.js';
import { equals, matchersOfLabels } from './Matchers.js';

/// Alerts of a group drawn at first; the rest on demand.
const alertsAtFirst = 30;

/// `actions`: isOpen, isWhole, features, why (a fingerprint), place(fingerprint) → what stands under that alert, narrow(label),
/// fold(), showAll(), explain(fingerprint).
export function AlertGroup(group, actions) {
  const { receiver, labels, alerts } = group;
  const shown = actions.isWhole ? alerts : alerts.slice(0, alertsAtFirst);
  const fold = h('button', {
    type: 'button', class: 'icon fold', 'aria-expanded': String(actions.isOpen), 'aria-label': 'Alerts of this group', 'data-focus': 'fold',
    onclick: actions.fold,
  }, actions.isOpen ? '▾' : '▸');
  const rows = () => [shown.map((alert) => Alert(alert, group, actions)),
    shown.length < alerts.length ? h('div', { class: 'more' }, Press(`Show all ${alerts.length} alerts`, actions.showAll)) : undefined];
  return h('section', { class: 'card alert-group', 'data-key': groupKey(group), 'aria-label': `Alerts for ${receiver}` },
    h('div', { class: 'group-head' }, fold,
      h('span', { class: 'group-labels' }, Object.keys(labels).length > 0 ? Labels(labels, { press: actions.narrow }) : Muted('not grouped')),
      h('span', { class: 'to' }, `→ ${receiver}`), h('span', { class: 'amount' }, String(alerts.length))),
    actions.isOpen ? rows() : undefined);
}

function Alert(alert, group, { features, why, explain, narrow, place }) {
  const { fingerprint } = alert;
  const labels = ownLabels(alert.labels, group.labels);
  const source = webAddress(alert.generatorURL);
  const name = alert.labels?.alertname;
  const link = (focus, href, text) => h('a', { href, 'data-focus': focus, rel: 'noreferrer' }, text);
  return h('article', { class: 'alert', 'data-key': `${groupKey(group)} ${fingerprint}` },
    h('div', { class: 'alert-head' }, h('span', { class: 'states' }, statesOf(alert).map((state) => Tag(state, stateTones[state]))),
      h('span', { class: 'since' }, Moment(alert.startsAt)),
      h('span', { class: 'actions' },
        link('silence', newSilenceAddress(matchersOfLabels(alert.labels ?? {})), 'Silence'),
        features.explain ? Press('Why?', () => explain(fingerprint), { 'aria-expanded': String(why === fingerprint), 'data-focus': 'why' }) : undefined,
        features.history && name ? link('history', address('history', { filter: [equals('alertname', name)] }), 'History') : undefined,
        source ? link('source', source, 'Source ↗') : undefined)),
    Object.keys(labels).length > 0 ? Labels(labels, { press: narrow }) : undefined,
    Annotations(alert), Quiet(alert, features), place(fingerprint));
}

function Annotations(alert) {
  const entries = annotations(alert);
  if (entries.length === 0) return undefined;
  const text = (value) => linkPieces(value).map(({ text, href }) => (href ? h('a', { href, rel: 'noreferrer' }, text) : text));
  return h('dl', { class: 'annotations' }, entries.map(([name, value]) => [h('dt', {}, name), h('dd', {}, text(value))]));
}

/// Who keeps the alert quiet.
function Quiet({ status = {} }, features) {
  const line = (title, items, piece) => (items?.length > 0 ? h('div', { class: 'quiet' }, Muted(title), items.map(piece)) : undefined);
  return [
    line('silenced by', status.silencedBy, (id) => h('a', { href: silenceAddress(id) }, id.slice(0, 8))),
    line('inhibited by', status.inhibitedBy, (why) => (features.explain ? h('a', { href: anyAlertAddress({ why }) }, why) : h('code', {}, why))),
    line('muted in', status.mutedBy, (name) => h('span', {}, name)),
  ];
}
