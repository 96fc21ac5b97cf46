// Small pieces that all pages show: labels, matchers, times, states, quiet words, refusals.

import { h } from '../app/Dom.js';
import * as Settings from '../app/Settings.js';
import { formatTime } from '../query/QueryLogic.js';
import { matcherText } from './Matchers.js';
import { moment, relativeText } from './Times.js';

export const isUTC = () => Settings.get().zone === 'utc';

/// One chip for each label. With `press` they are buttons that hand over { name, value }.
export function Labels(labels, { press, verb = 'Show alerts with' } = {}) {
  const entries = Object.entries(labels ?? {});
  return h('span', { class: 'labels' }, entries.map(([name, value]) => {
    const text = [h('span', { class: 'key' }, `${name}=`), value === '' ? '""' : value];
    if (!press) return h('span', { class: 'label' }, text);
    const title = `${verb} ${name}=${JSON.stringify(value)}`;
    return h('button', { type: 'button', class: 'label', title, 'data-focus': `${name}=${value}`, onclick: () => press({ name, value }) }, text);
  }));
}

/// Texts of matchers as chips.
export const Chips = (texts) => h('span', { class: 'labels' }, texts.map((text) => h('span', { class: 'label' }, text)));
export const MatcherChips = (matchers) => Chips((matchers ?? []).map(matcherText));

/// A time as its distance from now, with the time itself under the pointer.
export function Moment(time, now = Date.now()) {
  const value = typeof time === 'number' ? time : moment(time);
  if (value === undefined) return Muted('–');
  return h('time', { datetime: new Date(value).toISOString(), title: formatTime(value / 1000, isUTC()) }, relativeText(value, now));
}

/// A state or an outcome as a tag; tones: 'good', 'bad', 'warn', 'accent', ''.
export const Tag = (text, tone = '') => h('span', { class: `tag ${tone}` }, text);

export const Muted = (...content) => h('span', { class: 'muted' }, content);

/// A button that looks like a link.
export const Press = (text, onclick, attributes) => h('button', { type: 'button', class: 'link', onclick, ...attributes }, text);

export const stateTones = { active: 'bad', unprocessed: 'warn', pending: 'warn', silenced: '', inhibited: '', muted: '', expired: '' };

export const Refusal = (error) => h('div', { class: 'note bad', role: 'alert' }, h('pre', {}, error.message));
