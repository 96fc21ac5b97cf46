// What the pages of rules and alerts compute: answers to rows, rows to those that a filter leaves.

import { addressOfPanels, emptyPanel, formatDuration } from '../query/QueryLogic.js';

export const states = ['firing', 'pending', 'inactive', 'unknown'];

const order = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

/// A key that stays the same from one answer to the next: what is open stays open.
export const ruleKey = (group, rule, index) => JSON.stringify([group.file, group.name, rule.name, index]);
export const alertKey = (alert) => JSON.stringify(Object.entries(alert.labels).sort(([a], [b]) => order(a, b)));

/// Alerting rules as rows { key, group, file, rule, state }, the most urgent first, then as their files have them.
export function alertRows(groups) {
  const rows = [];
  for (const group of groups) {
    group.rules.forEach((rule, index) => {
      if (rule.type !== 'alerting') return;
      rows.push({ key: ruleKey(group, rule, index), group: group.name, file: group.file, rule, state: rule.state });
    });
  }
  return rows.map((row, index) => [row, index])
    .sort(([a, i], [b, j]) => states.indexOf(a.state) - states.indexOf(b.state) || i - j).map(([row]) => row);
}

export const countOfState = (rows, state) => rows.filter((row) => state === '' || row.state === state).length;

/// Firing and pending ones of a rule: { firing, pending }.
export function tally(rule) {
  const alerts = rule.alerts ?? [];
  const firing = alerts.filter(({ state }) => state === 'firing').length;
  return { firing, pending: alerts.length - firing };
}

const words = (search) => search.toLowerCase().split(/\s+/).filter((word) => word !== '');
const pairs = (values) => Object.entries(values ?? {}).map(([name, value]) => `${name}="${value}"`);

function ruleText(row) {
  const { rule } = row;
  return [row.group, row.file, rule.name, rule.query, rule.lastError ?? '', ...pairs(rule.labels), ...pairs(rule.annotations)].join('\n').toLowerCase();
}

const alertText = (alert) => [...pairs(alert.labels), ...pairs(alert.annotations)].join('\n').toLowerCase();

/// Rows of one state ('' for all) in which every word of `search` is found: in the rule, or in the rule and one of its alerts.
/// Each has `alerts`: all where the rule itself matches, else those that do.
export function matchingAlerts(rows, { search, state }) {
  const wanted = words(search);
  const result = [];
  for (const row of rows) {
    if (state !== '' && row.state !== state) continue;
    const alerts = [...(row.rule.alerts ?? [])].sort((a, b) => states.indexOf(a.state) - states.indexOf(b.state) || order(alertKey(a), alertKey(b)));
    const text = ruleText(row);
    const missing = wanted.filter((word) => !text.includes(word));
    const left = missing.length === 0 ? alerts : alerts.filter((alert) => missing.every((word) => alertText(alert).includes(word)));
    if (missing.length === 0 || left.length > 0) result.push({ ...row, alerts: left });
  }
  return result;
}

export const isFailing = (rule) => rule.health === 'err';

/// Groups with the rules that match; health is '' for all, 'err' for failing ones. Each rule has its `key`.
export function matchingGroups(groups, { search, health }) {
  const wanted = words(search);
  const result = [];
  for (const group of groups) {
    const rules = group.rules.map((rule, index) => ({ rule, key: ruleKey(group, rule, index) })).filter(({ rule }) => {
      if (health !== '' && rule.health !== health) return false;
      const text = ruleText({ group: group.name, file: group.file, rule });
      return wanted.every((word) => text.includes(word));
    });
    if (rules.length > 0 || (group.rules.length === 0 && health === '' && wanted.length === 0)) result.push({ ...group, rules });
  }
  return result;
}

export const countOfHealth = (groups, health) =>
  groups.reduce((sum, { rules }) => sum + rules.filter((rule) => health === '' || rule.health === health).length, 0);

/// Groups by file, files in order: [{ file, groups }].
export function byFile(groups) {
  const files = new Map();
  for (const group of groups) {
    if (!files.has(group.file)) files.set(group.file, []);
    files.get(group.file).push(group);
  }
  return [...files].sort(([a], [b]) => order(a, b)).map(([file, members]) => ({ file, groups: members }));
}

/// How much of its interval a group takes to evaluate, in percent.
export const load = (group) => (group.interval > 0 ? (group.evaluationTime / group.interval) * 100 : 0);

/// 'for 5m, then kept for 10m'; '' where there is neither.
export function holdText(rule) {
  const parts = [];
  if (rule.duration > 0) parts.push(`for ${formatDuration(rule.duration)}`);
  if (rule.keepFiringFor > 0) parts.push(`kept for ${formatDuration(rule.keepFiringFor)}`);
  return parts.join(', ');
}

/// The query page with this expression as a graph.
export const graphAddress = (expr) => `query${addressOfPanels([{ ...emptyPanel, expr, tab: 'graph' }])}`;

/// Texts of an annotation cut into plain ones and links: [{ text, href }].
export function linkPieces(text) {
  const pieces = [];
  let rest = text;
  for (;;) {
    const match = /https?:\/\/[^\s<>"']+/.exec(rest);
    if (!match) break;
    // A point or bracket behind an address ends the sentence, not the address.
    const href = match[0].replace(/[.,;:!?)\]]+$/, '');
    if (match.index > 0) pieces.push({ text: rest.slice(0, match.index) });
    pieces.push({ text: href, href });
    rest = rest.slice(match.index + href.length);
  }
  if (rest !== '') pieces.push({ text: rest });
  return pieces;
}

/// The filter in the address: ?state=firing&search=node; `name` is 'state' or 'health'.
export function filterFromAddress(address, name, known) {
  const parameters = new URLSearchParams(address);
  const value = parameters.get(name) ?? '';
  return { [name]: known.includes(value) ? value : '', search: parameters.get('search') ?? '' };
}

export function addressOfFilter(filter) {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(filter)) if (value !== '') parameters.set(name, value);
  const text = parameters.toString();
  return text === '' ? '' : `?${text}`;
}
