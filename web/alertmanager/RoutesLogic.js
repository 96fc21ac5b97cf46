// What the status page computes of the tree of routes: the words of a route, and which routes an alert takes.

import { formatDuration } from '../query/QueryLogic.js';

/// Deeper routes are not drawn.
export const depthLimit = 60;

const interval = (milliseconds) => formatDuration(milliseconds / 1000);

/// What a route says of itself, as [{ name, value }]; what it shares with the route above it is left out.
export function routeFacts(route, above) {
  const facts = [];
  const say = (name, key, text) => {
    const value = route[key];
    if (value === undefined || value === null || JSON.stringify(value) === JSON.stringify(above?.[key])) return;
    facts.push({ name, value: text(value) });
  };
  say('group by', 'groupBy', groupByText);
  say('wait', 'groupWait', interval);
  say('interval', 'groupInterval', interval);
  say('repeat', 'repeatInterval', interval);
  if (route.muteTimeIntervals?.length > 0) facts.push({ name: 'mute in', value: route.muteTimeIntervals.join(', ') });
  if (route.activeTimeIntervals?.length > 0) facts.push({ name: 'active in', value: route.activeTimeIntervals.join(', ') });
  return facts;
}

export function groupByText(names) {
  if (!Array.isArray(names) || names.length === 0) return 'nothing: one group';
  return names.includes('...') ? 'every label' : names.join(', ');
}

/// Keys of the routes that an answer of `explain` names.
export const takenKeys = (explanation) => new Set((explanation?.routes ?? []).map(({ key }) => key).filter((key) => key !== undefined));

/// 'taken' where an alert ends, 'passed' on the way there, '' elsewhere.
export function roleOf(route, taken, depth = 0) {
  if (taken.has(route.key)) return 'taken';
  if (depth >= depthLimit) return '';
  return (route.routes ?? []).some((child) => roleOf(child, taken, depth + 1) !== '') ? 'passed' : '';
}

/// How many routes a tree has.
export const routeCount = (route, depth = 0) =>
  1 + (depth >= depthLimit ? 0 : (route.routes ?? []).reduce((total, child) => total + routeCount(child, depth + 1), 0));

/// The tone of a test's outcome: 'good', 'bad' or ''.
export function outcomeTone(outcome) {
  if (/^(ok|success|succeeded|sent|delivered|notified)$/i.test(outcome ?? '')) return 'good';
  return /fail|error|refused|timeout|invalid/i.test(outcome ?? '') ? 'bad' : '';
}

/// An exchange as text, whether the server sends one or a structure.
export function textOf(exchange) {
  if (exchange === undefined || exchange === null || exchange === '') return '';
  return typeof exchange === 'string' ? exchange : JSON.stringify(exchange, null, 2);
}
