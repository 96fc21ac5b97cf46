// Which alerts a set of matchers means right now: how many, and the first of them.

import { h, fill } from '../app/Dom.js';
import * as Api from './Api.js';
import { Labels, Refusal, stateTones, Tag } from './Labels.js';
import { statesOf } from './AlertsLogic.js';

const shownAtMost = 12;
/// So long after the last change the server is asked.
const patience = 250;

/// Returns { element, show(matchers), end }. `texts`: what is said before a number of alerts, and where there are none.
export function AffectedAlerts({ some, none }) {
  let timer, request;
  const element = h('div', { class: 'affected', role: 'status' });

  function show(matchers) {
    clearTimeout(timer);
    request?.abort();
    if (matchers.length === 0) {
      fill(element, h('div', { class: 'muted' }, 'Which alerts are affected is shown once there is a matcher.'));
      return;
    }
    timer = setTimeout(() => ask(matchers), patience);
  }

  async function ask(matchers) {
    const mine = request = new AbortController();
    try {
      const alerts = await Api.alerts(matchers, mine.signal) ?? [];
      const number = alerts.length === 1 ? '1 alert' : `${alerts.length} alerts`;
      fill(element, h('div', { class: 'affected-head' }, alerts.length === 0 ? none : `${some}: ${number}`),
        alerts.slice(0, shownAtMost).map((alert) => h('div', { class: 'affected-alert' },
          statesOf(alert).map((state) => Tag(state, stateTones[state])), Labels(alert.labels))),
        alerts.length > shownAtMost ? h('div', { class: 'muted' }, `and ${alerts.length - shownAtMost} more`) : undefined);
    } catch (error) {
      if (error.name !== 'AbortError' && mine === request) fill(element, Refusal(error));
    }
  }

  return {
    element, show,
    end: () => {
      clearTimeout(timer);
      request?.abort();
    },
  };
}
