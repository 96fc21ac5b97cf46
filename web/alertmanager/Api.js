// Alertmanager's API v2, one function per endpoint. Every function resolves with the answer, or throws ApiError with the
// server's own words.
//
// Addresses are relative to the page, so that the pages work behind a prefix. `explain`, `history` and the test of a receiver
// are minprom's own: `features` tells whether the server has them, since the pages also work on the original.

import { matcherText } from './Matchers.js';

export class ApiError extends Error {
  /// `status` is HTTP's, 0 where there was no answer.
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/// The words of a refusal: a JSON string, {"code", "message"}, or plain text.
export function errorText(body, status) {
  let text = body;
  try {
    const answer = JSON.parse(body);
    if (typeof answer === 'string') text = answer;
    else if (typeof answer?.message === 'string') text = answer.message;
    else if (typeof answer?.error === 'string') text = answer.error;
  } catch { /* plain text */ }
  return text.trim().slice(0, 2000) || `The server answered with status ${status}.`;
}

/// ?name=value…; lists repeat their name, `undefined` and '' are left out.
export function queryText(parameters) {
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    for (const item of Array.isArray(value) ? value : [value]) if (item !== undefined && item !== '') form.append(name, item);
  }
  const text = form.toString();
  return text === '' ? '' : `?${text}`;
}

async function call(path, { query = {}, method = 'GET', body, signal } = {}) {
  let response, text;
  try {
    response = await fetch(`api/v2/${path}${queryText(query)}`, {
      method, signal, body: body === undefined ? undefined : JSON.stringify(body),
      headers: body === undefined ? {} : { 'Content-Type': 'application/json' },
    });
    text = await response.text();
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new ApiError('The server does not answer.', 0);
  }
  if (!response.ok) throw new ApiError(errorText(text, response.status), response.status);
  if (text.trim() === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw new ApiError('The server’s answer is not JSON.', response.status);
  }
}

/// A receiver by its name, where the API takes a regular expression.
export const exactly = (text) => text.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&');

const all = { active: true, silenced: true, inhibited: true };

/// [{ labels, receiver: { name }, alerts }], whatever the alerts' states.
export const alertGroups = ({ filter, receiver }, signal) => call('alerts/groups', {
  query: { ...all, muted: true, filter: filter.map(matcherText), receiver: receiver === '' ? undefined : exactly(receiver) }, signal,
});

/// Alerts that all matchers match, whatever their state.
export const alerts = (filter, signal) => call('alerts', { query: { ...all, unprocessed: true, filter: filter.map(matcherText) }, signal });

export const silences = (signal) => call('silences', { signal });
export const silence = (id, signal) => call(`silence/${encodeURIComponent(id)}`, { signal });
/// Answers { silenceID }: another one than `body.id` where the change needs a new silence.
export const keepSilence = (body) => call('silences', { method: 'POST', body });
export const expireSilence = (id) => call(`silence/${encodeURIComponent(id)}`, { method: 'DELETE' });

export const receivers = (signal) => call('receivers', { signal });
export const status = (signal) => call('status', { signal });

// MARK: minprom's own

/// { receiver, matchers, groupBy, groupWait, …, routes }: the tree of routes.
export const routes = (signal) => call('explain/routes', { signal });
/// Why was I (not) notified, for an alert or for labels as text: { labels, known, state, routes, silencedBy, …, verdict }.
export const explain = ({ fingerprint, labels }, signal) => call('explain', { query: { fingerprint, labels }, signal });
/// { events: [{ time, kind, … }] }, newest first.
export const events = ({ limit, filter }, signal) => call('history', { query: { limit, filter: filter.map(matcherText) }, signal });
/// [{ integration, index, outcome, message, exchange }].
export const testReceiver = (name) => call(`receivers/${encodeURIComponent(name)}/test`, { method: 'POST', body: {} });

let known;

/// { explain, history }: which of minprom's own endpoints the server has. Asked once.
export function features() {
  known ??= Promise.all([call('explain/routes'), call('history', { query: { limit: 1 } })].map((answer) => answer.then(
    () => true,
    (error) => error.status !== 404 && error.status !== 0)))
    .then(([explain, history]) => ({ explain, history }));
  return known;
}
