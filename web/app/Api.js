// The HTTP API, one function per endpoint. Every function resolves with { data, warnings, infos } or throws ApiError with
// the server's own words.
//
// Addresses are relative to the page, so that the pages work behind a prefix.

export class ApiError extends Error {
  constructor(message, type) {
    super(message);
    this.type = type;
  }
}

async function call(path, parameters = {}, { post = false, signal } = {}) {
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    for (const item of Array.isArray(value) ? value : [value]) if (item !== undefined && item !== '') form.append(name, item);
  }
  const text = form.toString();
  let response;
  try {
    response = post
      ? await fetch(`api/v1/${path}`, { method: 'POST', body: form, signal })
      : await fetch(`api/v1/${path}${text ? `?${text}` : ''}`, { signal });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new ApiError('The server does not answer.', 'network');
  }
  const body = await response.text();
  let answer;
  try {
    answer = JSON.parse(body);
  } catch {
    throw new ApiError(body.trim().slice(0, 500) || `The server answered with status ${response.status}.`, 'network');
  }
  if (answer?.status !== 'success') throw new ApiError(answer?.error ?? `status ${response.status}`, answer?.errorType ?? 'network');
  return { data: answer.data, warnings: answer.warnings ?? [], infos: answer.infos ?? [] };
}

/// `time` in seconds; data: { resultType, result }.
export const query = ({ expr, time }, signal) => call('query', { query: expr, time }, { post: true, signal });

/// `start`, `end` and `step` in seconds; data: { resultType: 'matrix', result }.
export const queryRange = ({ expr, start, end, step }, signal) =>
  call('query_range', { query: expr, start, end, step }, { post: true, signal });

/// What a range query does: data with `explain`: { mode, text, tree }. All of it runs; of the answer one series is sent.
export const analyzeRange = ({ expr, start, end, step }, signal) =>
  call('query_range', { query: expr, start, end, step, explain: 'analyze', limit: 1 }, { post: true, signal });

/// How one point of an instant query came about; `metric` as PromQL writes it. data: { text, point }.
export const explainPoint = ({ expr, time, metric }, signal) =>
  call('explain_point', { query: expr, time, metric }, { post: true, signal });

/// data: names of labels, of all series or of those that match a selector.
export const labelNames = (match, signal) => call('labels', { 'match[]': match }, { signal });

/// data: values of one label.
export const labelValues = (name, match, signal) =>
  call(`label/${encodeURIComponent(name)}/values`, { 'match[]': match }, { signal });

/// data: { name: [{ type, help, unit }] }.
export const metadata = (signal) => call('metadata', { limit_per_metric: 1 }, { signal });

/// data: { activeTargets, droppedTargets, droppedTargetCounts }.
export const targets = (signal) => call('targets', { state: 'active' }, { signal });

/// data: { groups: [{ name, file, interval, evaluationTime, lastEvaluation, rules }] }; alerts are part of their rules.
export const rules = (signal) => call('rules', {}, { signal });

/// data: { version, revision, … }.
export const buildInfo = (signal) => call('status/buildinfo', {}, { signal });
