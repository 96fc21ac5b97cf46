// The bot's page: incidents, what waits for a human, targets that cool down. Looks again every three seconds.
//
//   /                      everything
//   /approve/ID?sig=…      the same, with the question of this link on top

import { h, fill } from '../app/Dom.js';
import { themeButton } from '../app/Preferences.js';
import * as Api from './Api.js';
import { approvalOf, ordered, span, tiles, tone } from './BotLogic.js';

const page = document.getElementById('page');
const linked = approvalOf(location.pathname, location.search);
let said;

fill(document.getElementById('top'),
  h('a', { class: 'brand', href: '/' }, h('img', { src: 'assets/app/icon.svg', width: '20', height: '20', alt: '' }), 'Alert bot'),
  h('span', { class: 'space' }), themeButton());

const content = h('div', { class: 'bot' });
const tokenField = h('input', { type: 'password', placeholder: 'BOT_TOKEN', 'aria-label': 'Token', autocomplete: 'off' });
const tokenForm = h('form', {
  class: 'token',
  onsubmit: (event) => {
    event.preventDefault();
    Api.setToken(tokenField.value);
    look();
  },
}, 'Deciding here needs the bot’s token, or the link you were sent:', tokenField, h('button', { type: 'submit' }, 'Use'));
fill(page, content);

async function decide(id, signature, verdict) {
  try {
    said = { text: `${id}: ${await Api.decide(id, signature, verdict)}`, bad: false };
  } catch (error) {
    said = { text: `${id}: ${error.message}`, bad: true };
  }
  look();
}

function asking(approval, incident, signature) {
  const may = signature !== undefined || Api.token() !== '';
  return h('div', { class: 'asking' },
    h('div', { class: 'what' }, h('b', {}, incident?.alert ?? approval.id), ` – policy ${incident?.policy ?? '?'} asks to act`,
      h('small', {}, `${incident?.summary ?? ''} expires in ${span(approval.until - Date.now())}`)),
    h('button', { class: 'primary', type: 'button', disabled: !may, onclick: () => decide(approval.id, signature ?? '', 'approve') }, 'Approve'),
    h('button', { class: 'deny', type: 'button', disabled: !may, onclick: () => decide(approval.id, signature ?? '', 'deny') }, 'Deny'));
}

function row(incident) {
  const labels = Object.entries(incident.labels).filter(([name]) => name !== 'alertname').map(([name, value]) => `${name}=${value}`).join(' ');
  return h('tr', {},
    h('td', {}, h('span', { class: `state ${tone(incident)}` }, incident.state), incident.dry_run ? h('small', {}, 'dry run') : undefined),
    h('td', {}, incident.alert, h('small', {}, labels)),
    h('td', {}, incident.policy || '–', h('small', {}, incident.source)),
    h('td', {}, incident.actions),
    h('td', { class: 'time' }, new Date(incident.opened).toLocaleString(),
      h('small', {}, incident.resolved === undefined ? `open for ${span(Date.now() - incident.opened)}` : `over after ${span(incident.resolved - incident.opened)}`)),
    h('td', {}, h('code', {}, incident.id)));
}

function draw(data) {
  const byId = new Map(data.incidents.map((incident) => [incident.id, incident]));
  const waiting = data.approvals.map((approval) =>
    asking(approval, byId.get(approval.incident), approval.id === linked?.id ? linked.signature : undefined));
  const isGone = linked && !data.approvals.some((approval) => approval.id === linked.id) && !said;
  fill(content,
    data.dry_run ? h('p', { class: 'note warn' }, 'Dry run: nothing is done, everything is written down.') : undefined,
    said ? h('p', { class: `note ${said.bad ? 'bad' : 'info'}` }, said.text) : undefined,
    isGone ? h('p', { class: 'note info' }, 'Nothing waits for this link’s decision any more.') : undefined,
    h('div', { class: 'tiles' }, tiles(data).map((tile) => h('div', { class: `tile ${tile.tone}` }, h('b', {}, tile.value), h('span', {}, tile.title)))),
    waiting.length ? [h('h2', {}, 'Waiting for a human'), waiting, data.trusted ? undefined : tokenForm] : undefined,
    data.circuits.map((one) => h('p', { class: 'note bad' }, `The circuit of ${one.target} is open for ${span(one.until - Date.now())}: people act, the bot does not.`)),
    data.cooldowns.map((one) => h('p', { class: 'note info' }, `${one.target} cools down for ${span(one.until - Date.now())}.`)),
    h('h2', {}, 'Incidents'),
    data.incidents.length
      ? h('div', { class: 'wide' }, h('table', { class: 'incidents' },
        h('thead', {}, h('tr', {}, ['State', 'Alert', 'Policy', 'Actions', 'Opened', 'Incident'].map((title) => h('th', {}, title)))),
        h('tbody', {}, ordered(data.incidents).map(row))))
      : h('p', { class: 'empty' }, 'No incident yet.'),
    h('p', { class: 'note info' }, `Incident log: ${data.log.lines} lines, last hash `, h('code', {}, data.log.hash.slice(0, 16)), '…'));
}

async function look() {
  try {
    const data = await Api.incidents();
    // Nobody types over a page that is drawn anew.
    if (document.activeElement !== tokenField) draw(data);
  } catch (error) {
    fill(content, h('p', { class: 'note bad' }, `The bot does not answer: ${error.message}`));
  }
}

look();
setInterval(look, 3000);
