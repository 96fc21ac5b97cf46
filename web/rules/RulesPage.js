// The rules page: files, their groups, and of each rule what it asks, how it went and how long it took. Asks again every five seconds.

import { h } from '../app/Dom.js';
import * as Settings from '../app/Settings.js';
import { formatDuration, formatTime } from '../query/QueryLogic.js';
import { agoText, spanText } from '../targets/TargetsLogic.js';
import { annotationList, chips, expression, filteredPage, pill } from './RuleParts.js';
import { byFile, countOfHealth, holdText, isFailing, load, matchingGroups } from './RulesLogic.js';

/// A time of the API: how long ago, and when.
function time(text) {
  const at = Date.parse(text);
  return { title: at > 0 ? formatTime(at / 1000, Settings.get().zone === 'utc') : undefined, text: agoText(text, Date.now()) };
}

/// Fills `element`; returns what ends the page.
export function RulesPage(element) {
  const closed = new Set();
  const { end } = filteredPage(element, {
    page: 'rules', kind: 'health', known: ['ok', 'err', 'unknown'], placeholder: 'Filter by name, group, label or expression', draw,
  });
  return end;

  function draw(groups, filter) {
    const titles = [['', 'All'], ['ok', 'Ok'], ['err', 'Failing'], ['unknown', 'Not evaluated']];
    const found = byFile(matchingGroups(groups, filter));
    return {
      buttons: titles.map(([health, title]) => [health, `${title} ${countOfHealth(groups, health)}`]),
      content: found.length > 0 ? found.map(({ file, groups: members }) => [h('h2', { class: 'rule-file' }, file), members.map(item)])
        : h('div', { class: 'empty' }, groups.length === 0 ? 'There are no rules.' : 'No rule matches.'),
    };
  }

  function item(group) {
    const key = JSON.stringify([group.file, group.name]);
    const failing = group.rules.filter(({ rule }) => isFailing(rule)).length;
    const last = time(group.lastEvaluation);
    const share = load(group);
    const details = h('details', {
      class: 'rule-card', open: !closed.has(key),
      ontoggle: () => (details.open ? closed.delete(key) : closed.add(key)),
    }, h('summary', {}, h('b', {}, group.name),
      failing > 0 ? h('span', { class: 'rule-tally err' }, `${failing} failing`) : undefined,
      h('span', { class: 'rule-hold' }, `every ${formatDuration(group.interval)}`),
      h('span', { class: 'rule-hold', title: last.title }, `last ${last.text}`),
      h('span', { class: share > 50 ? 'rule-hold late' : 'rule-hold', title: `${share.toFixed(1)} % of its interval` }, `took ${spanText(group.evaluationTime)}`)),
    h('div', { class: 'rule-frame' }, h('table', { class: 'rule-table' },
      h('thead', {}, h('tr', {}, ['Rule', 'Health', 'Last evaluation', 'Took'].map((title) => h('th', {}, title)))),
      h('tbody', {}, group.rules.map(({ rule }) => line(rule))))));
    return details;
  }

  function line(rule) {
    const last = time(rule.lastEvaluation);
    const isAlert = rule.type === 'alerting';
    return h('tr', {},
      h('td', {}, h('div', { class: 'rule-what' }, h('div', { class: 'rule-name' }, h('span', { class: 'rule-kind' }, isAlert ? 'alert' : 'record'), h('b', {}, rule.name),
        h('span', { class: 'rule-hold' }, isAlert ? holdText(rule) : '')),
      expression(rule.query),
      h('div', { class: 'rule-labels' }, chips(rule.labels)),
      annotationList(rule.annotations),
      rule.lastError ? h('div', { class: 'rule-error' }, rule.lastError) : undefined)),
      h('td', {}, pill(rule.health, { ok: 'ok', err: 'failing' }[rule.health] ?? 'unknown')),
      h('td', { class: 'time', title: last.title }, last.text),
      h('td', { class: 'time' }, Date.parse(rule.lastEvaluation) > 0 ? spanText(rule.evaluationTime) : '–'));
  }
}
