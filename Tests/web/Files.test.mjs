// The files of web/ as a whole: embedded all, referred to by names that exist, and without what the server's policy forbids.
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';

const root = new URL('../../', import.meta.url);
const folders = ['alertmanager', 'app', 'bot', 'query', 'rules', 'targets'];
const shells = ['app/index.html', 'alertmanager/index.html', 'bot/index.html'];
const files = folders.flatMap((folder) => readdirSync(new URL(`web/${folder}/`, root)).map((name) => `${folder}/${name}`));
const text = (file) => readFileSync(new URL(`web/${file}`, root), 'utf8');

test('every file is embedded and served under its name', () => {
  const table = readFileSync(new URL('Sources/Leaves/CWebFiles/webfiles.c', root), 'utf8');
  for (const file of files) {
    assert.ok(table.includes(`#embed "../../../web/${file}"`), file);
    assert.ok(table.includes(`FILE("${file}", ${file.replace(/[/.]/g, '_')})`), file);
  }
});

test('every file that the page or a module names exists', () => {
  for (const shell of shells) {
    for (const [, path] of text(shell).matchAll(/(?:href|src)="([^"]+)"/g)) {
      assert.match(path, /^assets\//);
      assert.ok(existsSync(new URL(`web/${path.slice('assets/'.length)}`, root)), path);
    }
  }
  for (const file of files.filter((name) => name.endsWith('.js'))) {
    for (const [, path] of text(file).matchAll(/from '([^']+)'/g)) {
      assert.ok(existsSync(new URL(path, new URL(`web/${file}`, root))), `${file}: ${path}`);
    }
  }
});

test('all style sheets are linked, those of Alertmanager and of the bot by their own shells', () => {
  for (const file of files.filter((name) => name.endsWith('.css'))) {
    const shell = ['alertmanager', 'bot'].includes(file.split('/')[0]) ? `${file.split('/')[0]}/index.html` : 'app/index.html';
    assert.ok(text(shell).includes(`assets/${file}`), file);
  }
});

test('nothing makes markup of data, and nothing needs a looser content policy', () => {
  for (const file of files) {
    assert.doesNotMatch(text(file), /innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser/, file);
    assert.doesNotMatch(text(file), /<script(?![^>]*\bsrc=)|<style|\sstyle="|\son\w+="|javascript:|url\(["']?(data|https?):/, file);
    if (file.endsWith('.js')) assert.doesNotMatch(text(file), /h\('[^']*', \{[^}]*\bstyle:/, file);
  }
});

test('light and dark name the same colours, the dark ones alike in both places', () => {
  const css = text('app/vars.css');
  const blocks = [...css.matchAll(/:root[^{]*\{([^}]*)\}/g)].map(([, body]) => Object.fromEntries([...body.matchAll(/(--[\w-]+):\s*([^;]+);/g)].map(([, name, value]) => [name, value])));
  assert.equal(blocks.length, 3);
  const [light, system, chosen] = blocks;
  assert.deepEqual(system, chosen);
  for (const name of Object.keys(chosen)) assert.ok(name in light, name);
  const plain = ['--text', '--mono', '--radius'];
  assert.deepEqual(Object.keys(light).filter((name) => !(name in chosen)).sort(), plain.sort());
});
