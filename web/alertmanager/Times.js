// Times as the API sends them (RFC 3339) and as people say them.

/// Milliseconds since the epoch; undefined for what is no time, and for the zero time (year 1).
export function moment(text) {
  const time = typeof text === 'string' ? Date.parse(text) : NaN;
  return Number.isNaN(time) || time <= 0 ? undefined : time;
}

const units = [['d', 86400], ['h', 3600], ['m', 60], ['s', 1]];

/// Milliseconds in their two largest units: '12s', '4m 10s', '3h 5m', '2d 4h'.
export function spanText(milliseconds) {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  const first = units.findIndex(([, size]) => seconds >= size);
  if (first < 0) return '0s';
  const [name, size] = units[first];
  const rest = first + 1 < units.length ? Math.floor((seconds % size) / units[first + 1][1]) : 0;
  return `${Math.floor(seconds / size)}${name}${rest > 0 ? ` ${rest}${units[first + 1][0]}` : ''}`;
}

/// '4m 10s ago', 'in 2h', 'now'; '–' where there is no time.
export function relativeText(time, now) {
  if (time === undefined) return '–';
  const distance = time - now;
  if (Math.abs(distance) < 1000) return 'now';
  return distance > 0 ? `in ${spanText(distance)}` : `${spanText(-distance)} ago`;
}
