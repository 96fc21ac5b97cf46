import { test } from 'node:test';
import assert from 'node:assert/strict';
import { adding, equals, labelsText, matchersOfLabels, matcherText, operatorOf, parseLabels, parseMatchers } from '../../web/alertmanager/Matchers.js';

const texts = (text) => parseMatchers(text).matchers.map(matcherText);

test('matchers are read with and without braces, quotes and spaces', () => {
  assert.deepEqual(texts('alertname="x"'), ['alertname="x"']);
  assert.deepEqual(texts('alertname = x , job=~node|app'), ['alertname="x"', 'job=~"node|app"']);
  assert.deepEqual(texts('{a!="1",b!~"2",}'), ['a!="1"', 'b!~"2"']);
  assert.deepEqual(texts('a=,b=""'), ['a=""', 'b=""']);
  assert.deepEqual(texts(''), []);
  assert.deepEqual(texts('{}'), []);
});

test('quoted values hold commas, braces, quotes and line breaks', () => {
  const { matchers } = parseMatchers('message="a, b} \\"c\\" \\\\ \\n", x="ü"');
  assert.deepEqual(matchers.map(({ value }) => value), ['a, b} "c" \\ \n', 'ü']);
});

test('names outside of the classic letters are quoted, both ways', () => {
  const { matchers } = parseMatchers('"a b"="c", größe=1');
  assert.deepEqual(matchers.map(({ name }) => name), ['a b', 'größe']);
  assert.deepEqual(matchers.map(matcherText), ['"a b"="c"', '"größe"="1"']);
});

test('what is written is read back', () => {
  const names = ['a', 'a.b', 'with "quotes"', 'ß'], values = ['', 'x', '"', '\\', 'a,b}', '\u2028\n\t', '=~!'];
  for (const name of names) {
    for (const value of values) {
      for (const [isEqual, isRegex] of [[true, false], [false, false], [true, true], [false, true]]) {
        const matcher = { name, value, isEqual, isRegex };
        assert.deepEqual(parseMatchers(matcherText(matcher)).matchers, [matcher]);
      }
    }
  }
});

test('what is no matcher is refused with a hint', () => {
  for (const text of ['foo', '=x', 'a="x', 'a="x" b="y"', 'a=="b"', '{a="x"', '"a"', ',', 'a=b c', '"\\x"="y"']) {
    const { matchers, error } = parseMatchers(text);
    assert.deepEqual(matchers, [], text);
    assert.match(error, /matcher/i, text);
  }
});

test('a matcher of the API without isEqual is an equal one', () => {
  assert.equal(operatorOf({ name: 'a', value: 'b', isRegex: false }), '=');
  assert.equal(matcherText({ name: 'a', value: 'b', isRegex: true }), 'a=~"b"');
});

test('a filter holds a matcher once', () => {
  const list = adding([equals('a', '1')], equals('b', '2'));
  assert.equal(adding(list, equals('a', '1')), list);
  assert.equal(adding(list, equals('a', '2')).length, 3);
});

test('labels are read and written', () => {
  assert.deepEqual(parseLabels('a=b, c="d, e"'), { labels: { a: 'b', c: 'd, e' } });
  assert.equal(labelsText({ a: 'b', c: 'd, e', 'f g': '' }), 'a=b, c="d, e", "f g"=""');
  for (const labels of [{}, { a: 'b' }, { 'x y': '"', z: 'a=b' }]) assert.deepEqual(parseLabels(labelsText(labels)).labels, labels);
  for (const text of ['a=~b', 'a!=b', 'a']) assert.ok(parseLabels(text).error, text);
  assert.deepEqual(matchersOfLabels({ a: 'b' }), [equals('a', 'b')]);
});
