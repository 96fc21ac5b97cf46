// What can be written at the cursor: pure text work over a few lists of words.
//
//   sum by (mo|             label names
//   rate(node_cpu{mode=|    values of the label `mode` of node_cpu
//   ra|                     functions, keywords and metric names

/// Where the cursor is: { kind: 'word' | 'label' | 'value' | 'none', from, prefix, metric, label }.
///
/// `from` is where the word at the cursor starts. Strings and comments are stepped over.
export function placeAt(text, cursor) {
  const stack = [];
  let word = '', lastWord = '', label = '', index = 0;
  while (index < cursor) {
    const character = text[index];
    if (/[a-zA-Z_:]/.test(character)) {
      const start = index;
      while (index < cursor && /[a-zA-Z0-9_:.]/.test(text[index])) index += 1;
      word = text.slice(start, index);
      if (index === cursor) return wordPlace(stack, start, word);
      lastWord = word;
      if (stack.at(-1)?.kind === '{') label = word;
      continue;
    }
    if (/[0-9]/.test(character)) {
      // A number or a duration: nothing to complete in it.
      while (index < cursor && /[a-zA-Z0-9_.]/.test(text[index])) index += 1;
      if (index === cursor) return { kind: 'none', from: cursor, prefix: '' };
      continue;
    }
    if (character === '"' || character === "'" || character === '`') {
      const start = index + 1;
      index = start;
      while (index < cursor && text[index] !== character) index += text[index] === '\\' && character !== '`' ? 2 : 1;
      if (index >= cursor) {
        const open = stack.at(-1);
        if (open?.kind === '{' && label) {
          return { kind: 'value', from: start, prefix: text.slice(start, cursor), metric: open.metric, label };
        }
        return { kind: 'none', from: cursor, prefix: '' };
      }
      index += 1;
      continue;
    }
    if (character === '#') {
      const end = text.indexOf('\n', index);
      if (end < 0 || end >= cursor) return { kind: 'none', from: cursor, prefix: '' };
      index = end;
    } else if (character === '{') {
      const joined = index > 0 && /[a-zA-Z0-9_:.]/.test(text[index - 1]);
      stack.push({ kind: '{', metric: joined ? lastWord : '' });
      label = '';
    } else if (character === '(') {
      stack.push({ kind: '(', labels: ['by', 'without', 'on', 'ignoring', 'group_left', 'group_right'].includes(lastWord.toLowerCase()) });
    } else if (character === '[') {
      stack.push({ kind: '[' });
    } else if (character === ')' || character === '}' || character === ']') {
      stack.pop();
    } else if (character === ',') {
      label = '';
    }
    if (!/\s/.test(character)) lastWord = '';
    index += 1;
  }
  return wordPlace(stack, cursor, '');
}

function wordPlace(stack, from, prefix) {
  const open = stack.at(-1);
  if (open?.kind === '[') return { kind: 'none', from, prefix: '' };
  if (open?.kind === '{') return { kind: 'label', from, prefix, metric: open.metric };
  if (open?.kind === '(' && open.labels) return { kind: 'label', from, prefix, metric: '' };
  return { kind: 'word', from, prefix };
}

/// The best `limit` of `words` ({ text, … }) for what was typed: those that start with it, then those with a part after `_`
/// that does, then those that contain it. Words of equal rank keep their order.
export function rank(words, prefix, limit = 40) {
  const typed = prefix.toLowerCase();
  if (typed === '') return words.slice(0, limit);
  const groups = [[], [], []];
  for (const word of words) {
    const text = word.text.toLowerCase();
    const at = text.indexOf(typed);
    if (at < 0 || text === typed) continue;
    if (at === 0) groups[0].push(word);
    else if (text.includes(`_${typed}`) || text.includes(`:${typed}`)) groups[1].push(word);
    else groups[2].push(word);
    if (groups[0].length >= limit) break;
  }
  return groups.flat().slice(0, limit);
}

/// `text` with the word at `place` replaced by `word`, and where the cursor goes: behind it, or inside a function's
/// parentheses.
export function complete(text, cursor, place, word) {
  const rest = text.slice(cursor).replace(place.kind === 'value' ? /^[^"'`]*/ : /^[a-zA-Z0-9_:]*/, '');
  const call = word.kind === 'function' && !rest.startsWith('(') ? '(' : '';
  const head = text.slice(0, place.from) + word.text + call;
  return { text: head + (call ? ')' : '') + rest, cursor: head.length };
}
