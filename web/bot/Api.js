// The bot's endpoints. The token stays in this tab.

const key = 'minprom-bot-token';

export const token = () => sessionStorage.getItem(key) ?? '';

export function setToken(value) {
  if (value) sessionStorage.setItem(key, value); else sessionStorage.removeItem(key);
}

const headers = () => (token() ? { Authorization: `Bearer ${token()}` } : {});

export async function incidents() {
  const answer = await fetch('/api/incidents', { headers: headers() });
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  return answer.json();
}

/// What the bot says to a decision; throws its words where it refuses.
export async function decide(id, signature, verdict) {
  const query = new URLSearchParams({ sig: signature, verdict });
  const answer = await fetch(`/approve/${encodeURIComponent(id)}?${query}`, { method: 'POST', headers: headers() });
  const text = (await answer.text()).trim();
  if (!answer.ok) throw new Error(text);
  return text;
}
