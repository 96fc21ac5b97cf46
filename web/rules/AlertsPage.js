// The alerts page: alerting rules, the most urgent first, each with the alerts it has made. Asks again every five seconds.

import { h } from '../app/Dom.js';
import * as Settings from '../app/Settings.js';
import { formatTime, shortNumber } from '../query/QueryLogic.js';
import { agoText } from '../targets/TargetsLogic.js';
import { annotationList, chips, expression, filteredPage, linked, pill } from './RuleParts.js';
import { alertKey, alertRows, countOfState, holdText, matchingAlerts, states, tally } from './RulesLogic.js';

/// Alerts of one rule that are drawn at once; more are drawn when asked for.
const shownAtOnce = 200;

/// Fills `element`; returns what ends the page.
export function AlertsPage(element) {
  const opened = new Set();
  const unfolded = new Set();
  const { show, end } = filteredPage(element, {
    page: 'alerts', kind: 'state', known: states, placeholder: 'Filter by name, label, annotation or expression', draw,
  });
  return end;

  function draw(groups, filter) {
    const rows = alertRows(groups);
    const titles = [['', 'All'], ['firing', 'Firing'], ['pending', 'Pending'], ['inactive', 'Inactive']];
    const found = matchingAlerts(rows, filter);
    return {
      buttons: titles.map(([state, title]) => [state, `${title} ${countOfState(rows, state)}`]),
      content: found.length > 0 ? found.map(item)
        : h('div', { class: 'empty' }, rows.length === 0 ? 'There are no alerting rules.' : 'No alert matches.'),
    };
  }

  function item(row) {
    const { rule } = row;
    const { firing, pending } = tally(rule);
    const details = h('details', {
      class: `rule-card ${row.state}`, open: opened.has(row.key),
      ontoggle: () => toggle(details, row),
    }, h('summary', {}, pill(row.state), h('b', {}, rule.name),
      firing > 0 ? h('span', { class: 'rule-tally firing' }, `${firing} firing`) : undefined,
      pending > 0 ? h('span', { class: 'rule-tally pending' }, `${pending} pending`) : undefined,
      rule.health === 'err' ? h('span', { class: 'rule-tally err' }, 'failing') : undefined,
      h('span', { class: 'rule-hold' }, holdText(rule)),
      h('span', { class: 'rule-place', title: row.file }, row.group)),
    contents(row));
    return details;
  }

  // A rule may have thousands of alerts: they are drawn when it is opened.
  function toggle(details, row) {
    if (details.open === opened.has(row.key)) return;
    if (details.open) opened.add(row.key); else opened.delete(row.key);
    show();
  }

  function contents(row) {
    if (!opened.has(row.key)) return undefined;
    const { rule } = row;
    const alerts = unfolded.has(row.key) ? row.alerts : row.alerts.slice(0, shownAtOnce);
    return h('div', { class: 'rule-body' },
      expression(rule.query),
      rule.lastError ? h('div', { class: 'rule-error' }, rule.lastError) : undefined,
      h('div', { class: 'rule-labels' }, chips(rule.labels)),
      // Alerts show what the templates came to.
      alerts.length > 0 ? undefined : annotationList(rule.annotations),
      alerts.length > 0 ? table(alerts) : h('div', { class: 'rule-none' }, 'No alerts.'),
      alerts.length < row.alerts.length ? h('button', {
        type: 'button', class: 'link', onclick: () => { unfolded.add(row.key); show(); },
      }, `Show all ${row.alerts.length}`) : undefined);
  }

  function table(alerts) {
    return h('div', { class: 'rule-frame' }, h('table', { class: 'alert-table' },
      h('thead', {}, h('tr', {}, ['State', 'Alert', 'Active', 'Value'].map((title) => h('th', {}, title)))),
      h('tbody', {}, alerts.map((alert) => line(alert)))));
  }

  function line(alert) {
    const since = Date.parse(alert.activeAt);
    const isUTC = Settings.get().zone === 'utc';
    return h('tr', { 'data-alert': alertKey(alert) },
      h('td', {}, pill(alert.state), alert.keepFiringSince
        ? h('div', { class: 'rule-kept', title: 'The condition has ended; keep_firing_for keeps it.' }, `kept since ${agoText(alert.keepFiringSince, Date.now())}`) : undefined),
      h('td', {}, chips(alert.labels, ['alertname']), annotationList(alert.annotations, linked)),
      h('td', { class: 'time', title: since > 0 ? formatTime(since / 1000, isUTC) : undefined }, agoText(alert.activeAt, Date.now())),
      h('td', { class: 'time', title: alert.value }, shortNumber(Number(alert.value.replace('Inf', 'Infinity')))));
  }
}
