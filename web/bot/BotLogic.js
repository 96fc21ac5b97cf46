// What the bot's page computes: data in, data out.

/// The colour of a state's word.
export function tone(incident) {
  if (incident.state === 'escalated') return 'bad';
  if (incident.resolved !== undefined || incident.state === 'verified') return 'good';
  return incident.state.startsWith('waiting') ? 'warn' : '';
}

/// `42 s`, `3 min`, `2 h`: rounded, never negative.
export function span(milliseconds) {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 90) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}

/// Incidents that are open before those that are over, newest first in each.
export function ordered(incidents) {
  return [...incidents].sort((a, b) => (a.resolved !== undefined) - (b.resolved !== undefined) || b.opened - a.opened);
}

/// The numbers on top of the page.
export function tiles(data) {
  const open = data.incidents.filter((incident) => incident.resolved === undefined);
  const escalated = open.filter((incident) => incident.escalated !== undefined).length;
  return [
    { value: open.length, title: 'open incidents', tone: '' },
    { value: escalated, title: 'with people now', tone: escalated ? 'bad' : '' },
    { value: data.approvals.length, title: 'wait for approval', tone: data.approvals.length ? 'warn' : '' },
    { value: `${data.actions.last_hour} / ${data.actions.limit}`, title: 'actions this hour', tone: data.actions.last_hour >= data.actions.limit ? 'bad' : '' },
    { value: data.circuits.length, title: 'open circuits', tone: data.circuits.length ? 'bad' : '' },
  ];
}

/// Identifier and signature of `/approve/ID?sig=…`; `undefined` on any other address.
export function approvalOf(path, query) {
  const match = /^\/approve\/([0-9a-f]+-[0-9]+)$/.exec(path);
  return match ? { id: match[1], signature: new URLSearchParams(query).get('sig') ?? '' } : undefined;
}
