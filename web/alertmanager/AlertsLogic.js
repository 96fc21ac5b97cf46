// What the alerts page computes: the address and its view, states of alerts, the groups that a view leaves, links in texts.

import { address, filterOf } from './Addresses.js';
import { moment } from './Times.js';

// MARK: The address

/// Which states are shown unless the address says otherwise: what wants attention.
const shownAtFirst = { active: true, silenced: false, inhibited: false, muted: false };
export const states = Object.keys(shownAtFirst);

/// ?filter=…&receiver=…&silenced=true&why=FINGERPRINT → { filter, receiver, active, silenced, inhibited, muted, why }.
export function viewFromAddress(search) {
  const parameters = new URLSearchParams(search);
  const view = { filter: filterOf(parameters), receiver: parameters.get('receiver') ?? '', why: parameters.get('why') ?? '' };
  for (const state of states) view[state] = parameters.has(state) ? parameters.get(state) !== 'false' : shownAtFirst[state];
  return view;
}

export function addressOfView({ filter, receiver, why, ...shown }) {
  const changed = states.filter((state) => shown[state] !== shownAtFirst[state]).map((state) => [state, String(shown[state])]);
  return address('alerts', { filter, receiver, ...Object.fromEntries(changed), why });
}

// MARK: States

/// Why an alert is quiet, or that it is not: of 'silenced', 'inhibited', 'muted' all that hold; else 'active' or 'unprocessed'.
export function statesOf({ status = {} }) {
  const found = [];
  if (status.silencedBy?.length > 0) found.push('silenced');
  if (status.inhibitedBy?.length > 0) found.push('inhibited');
  if (status.mutedBy?.length > 0) found.push('muted');
  return found.length > 0 ? found : [status.state === 'unprocessed' ? 'unprocessed' : 'active'];
}

/// As the API filters: every reason for silence must be asked for.
export const isShown = (alert, view) => statesOf(alert).every((state) => (state === 'unprocessed' ? view.active : view[state]));

/// { active, silenced, inhibited, muted }: alerts of each state; an alert in two groups counts once.
export function counts(groups) {
  const totals = Object.fromEntries(states.map((state) => [state, 0]));
  const seen = new Set();
  for (const alert of groups.flatMap((group) => group.alerts ?? [])) {
    for (const state of statesOf(alert)) {
      const name = state === 'unprocessed' ? 'active' : state;
      const key = `${alert.fingerprint} ${name}`;
      if (!seen.has(key)) totals[name] += 1;
      seen.add(key);
    }
  }
  return totals;
}

// MARK: Groups

/// Groups with the alerts that are shown, newest first; { groups, alerts, hidden } with how many there are.
export function shownGroups(groups, view) {
  const shown = groups.map((group) => ({
    receiver: group.receiver?.name ?? '', labels: group.labels ?? {},
    alerts: (group.alerts ?? []).filter((alert) => isShown(alert, view))
      .sort((a, b) => (moment(b.startsAt) ?? 0) - (moment(a.startsAt) ?? 0)),
  })).filter(({ alerts }) => alerts.length > 0);
  const distinct = (list) => new Set(list.flatMap(({ alerts }) => alerts ?? []).map(({ fingerprint }) => fingerprint)).size;
  const alerts = distinct(shown);
  return { groups: shown, alerts, hidden: distinct(groups) - alerts };
}

export const groupKey = ({ receiver, labels }) => JSON.stringify([receiver, labels]);

/// Labels that the group's head does not say already, the alert's name first.
export function ownLabels(labels, groupLabels) {
  const rest = Object.entries(labels ?? {}).filter(([name, value]) => groupLabels[name] !== value);
  const order = ([a], [b]) => (b === 'alertname') - (a === 'alertname') || (a < b ? -1 : a > b ? 1 : 0);
  return Object.fromEntries(rest.sort(order));
}

/// Every matcher that would leave some of these alerts: what the filter's field offers. At most `limit`.
export function offers(groups, limit = 300) {
  const found = new Set();
  for (const { labels } of groups.flatMap((group) => group.alerts ?? [])) {
    for (const [name, value] of Object.entries(labels ?? {})) {
      if (found.size >= limit) return [...found];
      found.add(`${name}=${JSON.stringify(value)}`);
    }
  }
  return [...found];
}

// MARK: Texts

/// Annotations in reading order: summary and description, then by name.
export function annotations(alert) {
  const rank = (name) => ['summary', 'description', 'message'].indexOf(name) + 1 || 9;
  return Object.entries(alert.annotations ?? {}).sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

/// The address if it is one of the web; anything else, such as a script, is no link.
export function webAddress(text) {
  if (!/^https?:\/\//i.test(text ?? '')) return undefined;
  try {
    return new URL(text).href;
  } catch {
    return undefined;
  }
}

/// A text with the web addresses in it: [{ text, href? }].
export function linkPieces(text) {
  const pieces = [];
  let end = 0;
  for (const match of text.matchAll(/https?:\/\/[^\s<>"'`]+/gi)) {
    const found = match[0].replace(/[.,;:!?)\]}]+$/, '');
    const href = webAddress(found);
    if (href === undefined) continue;
    if (match.index > end) pieces.push({ text: text.slice(end, match.index) });
    pieces.push({ text: found, href });
    end = match.index + found.length;
  }
  if (end < text.length) pieces.push({ text: text.slice(end) });
  return pieces;
}
