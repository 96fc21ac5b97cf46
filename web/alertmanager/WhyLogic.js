// The answer to “Why was I (not) notified?”, with every list there and its words made readable.

import { moment } from './Times.js';

const list = (value) => (Array.isArray(value) ? value : []);

/// The server's answer with nothing missing: lists are lists, times are milliseconds or undefined.
export function explanation(answer) {
  return {
    labels: answer?.labels ?? {}, isKnown: answer?.known !== false, state: answer?.state ?? '', verdict: answer?.verdict ?? '',
    silencedBy: list(answer?.silencedBy), inhibitedBy: list(answer?.inhibitedBy),
    routes: list(answer?.routes).map((route) => ({
      key: route.key ?? '', receiver: route.receiver ?? '', groupLabels: route.groupLabels ?? {}, groupExists: route.groupExists === true,
      nextFlush: moment(route.nextFlush), mutedBy: list(route.mutedBy),
      integrations: list(route.integrations).map((integration) => ({
        name: `${integration.integration ?? '?'}${integration.index > 0 ? ` ${integration.index + 1}` : ''}`,
        decision: wordsOf(integration.lastDecision), reason: reasonText(integration.lastReason),
        outcome: integration.lastOutcome ?? '', lastAttempt: moment(integration.lastAttempt), nextRepeat: moment(integration.nextRepeat),
      })),
    })),
  };
}

const reasons = {
  first_notification: 'the first notification of its group',
  new_alerts_in_group: 'new alerts in the group',
  all_alerts_resolved: 'all alerts of the group are resolved',
  new_resolved_alerts: 'an alert of the group is resolved',
  repeat_interval: 'the repeat interval has passed',
  repeat_interval_elapsed: 'the repeat interval has passed',
  do_not_notify: 'nothing new, and the repeat interval has not passed',
  none: '',
};

/// A reason's name as words; unknown ones with spaces for their underscores.
export const reasonText = (reason) => (Object.hasOwn(reasons, reason ?? '') ? reasons[reason] : wordsOf(reason));

const wordsOf = (name) => (typeof name === 'string' ? name : '').replace(/([a-z])([A-Z])/g, '$1 $2').replace(/_/g, ' ').toLowerCase();
