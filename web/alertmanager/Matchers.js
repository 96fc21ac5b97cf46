// Matchers as people type them and as the API has them.
//
//   {alertname="InstanceDown", job=~"node|app", "a b"!=x}  ⇄  [{ name, value, isEqual, isRegex }, …]

const operators = {
  '=': { isEqual: true, isRegex: false }, '!=': { isEqual: false, isRegex: false },
  '=~': { isEqual: true, isRegex: true }, '!~': { isEqual: false, isRegex: true },
};
const plainName = /^[A-Za-z_:][A-Za-z0-9_:]*$/;
/// What may stand without quotes: anything but the characters that mean something between matchers.
const word = /^[^\s{}!=~,\\"'`]+/;
const hint = 'Write a matcher such as alertname="InstanceDown" or job=~"node|app".';

export const operatorOf = ({ isEqual, isRegex }) => `${isEqual === false ? '!' : '='}${isRegex ? '~' : isEqual === false ? '=' : ''}`;

/// job=~"node|app". Names outside of letters, digits, _ and : are quoted.
export function matcherText(matcher) {
  const name = plainName.test(matcher.name) ? matcher.name : JSON.stringify(matcher.name);
  return `${name}${operatorOf(matcher)}${JSON.stringify(matcher.value)}`;
}

export const equals = (name, value) => ({ name, value, isEqual: true, isRegex: false });

/// One `=` matcher for each label, in the labels' order.
export const matchersOfLabels = (labels) => Object.entries(labels).map(([name, value]) => equals(name, value));

export const isSame = (a, b) => matcherText(a) === matcherText(b);

/// `matcher` at the end of `list`, once.
export const adding = (list, matcher) => (list.some((other) => isSame(other, matcher)) ? list : [...list, matcher]);

/// { matchers } of a text, with or without braces; { matchers: [], error } where it is none.
export function parseMatchers(text) {
  let rest = text.trim();
  if (rest.startsWith('{') && rest.endsWith('}')) rest = rest.slice(1, -1).trim();
  const matchers = [];
  while (rest !== '') {
    const name = take(rest);
    const operator = name && /^\s*(=~|!~|!=|=)\s*/.exec(name.rest);
    if (!operator || name.text === '') return { matchers: [], error: hint };
    const afterOperator = name.rest.slice(operator[0].length);
    const value = /^(,|$)/.test(afterOperator) ? { text: '', rest: afterOperator } : take(afterOperator);
    if (!value) return { matchers: [], error: hint };
    matchers.push({ name: name.text, value: value.text, ...operators[operator[1]] });
    rest = value.rest.trimStart();
    if (rest !== '' && !rest.startsWith(',')) return { matchers: [], error: 'Separate matchers by commas.' };
    rest = rest.slice(1).trimStart();
  }
  return { matchers };
}

/// The word or quoted text at the start: { text, rest }.
function take(text) {
  if (text.startsWith('"')) {
    const quoted = /^"(?:[^"\\]|\\.)*"/.exec(text)?.[0];
    if (quoted === undefined) return undefined;
    try {
      return { text: JSON.parse(quoted), rest: text.slice(quoted.length) };
    } catch {
      return undefined;
    }
  }
  const plain = word.exec(text)?.[0];
  return plain === undefined ? undefined : { text: plain, rest: text.slice(plain.length) };
}

// MARK: Labels

/// { labels } of `a=b, c="d, e"`; { labels: {}, error } where it is none.
export function parseLabels(text) {
  const { matchers, error } = parseMatchers(text);
  if (error !== undefined || matchers.some(({ isEqual, isRegex }) => !isEqual || isRegex)) {
    return { labels: {}, error: 'Write labels such as alertname=InstanceDown, severity=page.' };
  }
  return { labels: Object.fromEntries(matchers.map(({ name, value }) => [name, value])) };
}

/// a=b, c="d, e": quotes only where they are needed.
export function labelsText(labels) {
  const piece = (text) => (word.exec(text)?.[0] === text ? text : JSON.stringify(text));
  return Object.entries(labels).map(([name, value]) => `${piece(name)}=${piece(value)}`).join(', ');
}
