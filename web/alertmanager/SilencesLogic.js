// What the silences page computes: lists by state, the draft behind the form, and the request that a draft makes.

import { formatDuration, formatTime, parseDuration, parseTime } from '../query/QueryLogic.js';
import { address, filterOf } from './Addresses.js';
import { matcherText } from './Matchers.js';
import { moment, relativeText } from './Times.js';

export const states = ['active', 'pending', 'expired'];

// MARK: The address

/// ?state=pending&search=…; ?id=… shows one, ?new&filter=… and ?edit=… open the form.
export function viewFromAddress(search) {
  const parameters = new URLSearchParams(search);
  const text = (name) => parameters.get(name) ?? '';
  return {
    state: states.includes(text('state')) ? text('state') : 'active', search: text('search'), id: text('id'),
    isNew: parameters.has('new'), edit: text('edit'), filter: filterOf(parameters), comment: text('comment'),
  };
}

export const addressOfView = ({ state, search, id }) => address('silences', { state: state === 'active' ? '' : state, search, id });

// MARK: Lists

export const stateOf = (silence) => silence.status?.state ?? 'active';
export const count = (silences, state) => silences.filter((silence) => stateOf(silence) === state).length;

/// Silences of one state in which every word is found: matchers, comment, author, id. What changes next comes first.
export function matching(silences, { state, search }) {
  const words = search.toLowerCase().split(/\s+/).filter((word) => word !== '');
  const time = (silence) => moment(state === 'pending' ? silence.startsAt : silence.endsAt) ?? 0;
  return silences.filter((silence) => {
    if (stateOf(silence) !== state) return false;
    const text = [...(silence.matchers ?? []).map(matcherText), silence.comment, silence.createdBy, silence.id].join('\n').toLowerCase();
    return words.every((word) => text.includes(word));
  }).sort((a, b) => (state === 'expired' ? time(b) - time(a) : time(a) - time(b)));
}

/// 'ends in 3h 58m', 'starts in 2d', 'ended 5m ago'.
export function whenText(silence, now) {
  switch (stateOf(silence)) {
    case 'pending': return `starts ${relativeText(moment(silence.startsAt), now)}`;
    case 'expired': return `ended ${relativeText(moment(silence.endsAt), now)}`;
    default: return `ends ${relativeText(moment(silence.endsAt), now)}`;
  }
}

// MARK: The draft

/// What the form holds, as typed. `start` '' is the moment of creation; `end` '' is `duration` after the start.
export const emptyDraft = { id: '', matchers: [], start: '', duration: '2h', end: '', author: '', comment: '', startsAt: '' };

/// A silence to be edited. An expired one gives the draft of a new one with the same matchers and length.
export function draftOf(silence, isUTC) {
  const [start, end] = [moment(silence.startsAt), moment(silence.endsAt)];
  const draft = { ...emptyDraft, matchers: silence.matchers ?? [], author: silence.createdBy ?? '', comment: silence.comment ?? '' };
  if (start === undefined || end === undefined) return draft;
  if (stateOf(silence) === 'expired') {
    return end - start < 1000 ? draft : { ...draft, duration: lengthText(start, end) };
  }
  return {
    ...draft, id: silence.id, startsAt: silence.startsAt, start: formatTime(start / 1000, isUTC), end: formatTime(end / 1000, isUTC),
    duration: lengthText(start, end),
  };
}

/// The times of a draft, in milliseconds: { start, end }, or { error, field }.
export function span(draft, now, isUTC) {
  const start = draft.start.trim() === '' ? now : milliseconds(parseTime(draft.start, isUTC));
  if (start === undefined) return { field: 'start', error: 'Write the start as 2026-01-31 14:00, or leave it empty for now.' };
  if (draft.end.trim() === '') {
    const seconds = parseDuration(draft.duration);
    if (seconds === undefined || !/[a-z]$/.test(draft.duration.trim())) {
      return { field: 'duration', error: 'Write the duration as 30m, 4h or 1d12h.' };
    }
    return { start, end: start + seconds * 1000 };
  }
  const end = milliseconds(parseTime(draft.end, isUTC));
  if (end === undefined) return { field: 'end', error: 'Write the end as 2026-01-31 18:00.' };
  if (end <= start) return { field: 'end', error: 'The end must come after the start.' };
  if (end <= now) return { field: 'end', error: 'The end is in the past.' };
  return { start, end };
}

const lengthText = (start, end) => formatDuration(Math.round((end - start) / 1000));
const milliseconds = (seconds) => (seconds === undefined ? undefined : Math.round(seconds * 1000));

/// The draft with a length, whose end follows, or with an end, whose length follows.
export const withDuration = (draft, duration) => ({ ...draft, duration, end: '' });
export function withEnd(draft, end, now, isUTC) {
  const changed = { ...draft, end };
  const times = span(changed, now, isUTC);
  if (times.error !== undefined || end.trim() === '') return changed;
  return { ...changed, duration: lengthText(times.start, times.end) };
}

/// The draft's times as the reader's other zone writes them, so that a change of zone moves no silence.
export function inZone(draft, wasUTC, isUTC) {
  const rewritten = (text) => {
    const seconds = text.trim() === '' ? undefined : parseTime(text, wasUTC);
    return seconds === undefined ? text : formatTime(seconds, isUTC);
  };
  return { ...draft, start: rewritten(draft.start), end: rewritten(draft.end) };
}

/// What the API is sent: { body }, or { error, field } with the field to mend.
export function request(draft, now, isUTC) {
  if (draft.matchers.length === 0) return { field: 'matchers', error: 'Add at least one matcher.' };
  const times = span(draft, now, isUTC);
  if (times.error !== undefined) return times;
  if (draft.author.trim() === '') return { field: 'author', error: 'Say who silences.' };
  if (draft.comment.trim() === '') return { field: 'comment', error: 'Say why.' };
  const kept = moment(draft.startsAt);
  // A start shown in whole seconds and left as it was is sent to the millisecond, so that the silence is changed in place.
  const isKept = kept !== undefined && draft.start.trim() !== '' && Math.abs(kept - times.start) < 1000;
  return {
    body: {
      ...(draft.id === '' ? {} : { id: draft.id }),
      matchers: draft.matchers.map(({ name, value, isRegex, isEqual }) => ({ name, value, isRegex, isEqual: isEqual !== false })),
      startsAt: isKept ? draft.startsAt : new Date(times.start).toISOString(), endsAt: new Date(times.end).toISOString(),
      createdBy: draft.author.trim(), comment: draft.comment.trim(),
    },
  };
}
