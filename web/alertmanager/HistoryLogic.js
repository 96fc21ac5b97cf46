// What the history page computes: the address and its view, the events that a view leaves, and days of events.

import { formatTime } from '../query/QueryLogic.js';
import { address, filterOf } from './Addresses.js';
import { matchersOfLabels, matcherText } from './Matchers.js';
import { moment } from './Times.js';

/// Kinds of events: their title, in one word for the filter, and their tone.
export const kinds = {
  alert_firing: { title: 'Alert fires', short: 'Firing', tone: 'bad' },
  alert_resolved: { title: 'Alert resolved', short: 'Resolved', tone: 'good' },
  notified: { title: 'Notified', short: 'Notified', tone: 'accent' },
  failed: { title: 'Failed to notify', short: 'Failed', tone: 'warn' },
  silence_created: { title: 'Silence created', short: 'Silenced', tone: '' },
  silence_expired: { title: 'Silence expired', short: 'Expired', tone: '' },
};

/// A kind's words; kinds that a newer server sends are shown by their name.
export function kindOf({ kind }) {
  return Object.hasOwn(kinds, kind) ? kinds[kind] : { title: String(kind ?? 'Event').replace(/_/g, ' '), tone: '' };
}

/// Events asked for at first, and at most.
export const [limitAtFirst, limitAtMost] = [200, 10000];

/// ?kind=failed&search=…&filter=…&limit=400 → { kind, search, filter, limit }; '' is every kind.
export function viewFromAddress(search) {
  const parameters = new URLSearchParams(search);
  const kind = parameters.get('kind') ?? '';
  const limit = Math.floor(Number(parameters.get('limit')));
  return {
    kind: Object.hasOwn(kinds, kind) ? kind : '', search: parameters.get('search') ?? '', filter: filterOf(parameters),
    limit: limit > 0 ? Math.min(limit, limitAtMost) : limitAtFirst,
  };
}

export const addressOfView = ({ kind, search, filter, limit }) =>
  address('history', { kind, search, limit: limit === limitAtFirst ? '' : limit, filter });

export const count = (events, kind) => events.filter((event) => kind === '' || event.kind === kind).length;

/// Events of a kind in which every word is found, newest first.
export function matching(events, { kind, search }) {
  const words = search.toLowerCase().split(/\s+/).filter((word) => word !== '');
  const time = (event) => moment(event.time) ?? 0;
  return events.filter((event) => {
    if (kind !== '' && event.kind !== kind) return false;
    const labels = matchersOfLabels(event.labels ?? {}).map(matcherText);
    const texts = [kindOf(event).title, event.receiver, event.integration, event.reason, event.message, event.groupKey, event.fingerprint];
    const text = [...texts, ...labels].join('\n').toLowerCase();
    return words.every((word) => text.includes(word));
  }).map((event, index) => ({ event, index })).sort((a, b) => time(b.event) - time(a.event) || a.index - b.index).map(({ event }) => event);
}

/// Events in the days on which they happened: [{ day: '2026-01-31', events: [{ clock: '14:03:22', event }] }].
export function days(events, isUTC) {
  const found = [];
  for (const event of events) {
    const time = moment(event.time);
    const [day, clock] = time === undefined ? ['', ''] : formatTime(time / 1000, isUTC).split(' ');
    if (found.at(-1)?.day !== day) found.push({ day, events: [] });
    found.at(-1).events.push({ clock, event });
  }
  return found;
}
