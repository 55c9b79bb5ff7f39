import { readFile } from 'node:fs/promises';
import t from 'tap';
import { parseConfig } from './config.ts';
import { markdown, template } from './docs.ts';
import { optionEntries } from './options.ts';

t.test('docs/configuration.md is what the option table generates', async (t) => {
  const written = await readFile(new URL('../../docs/configuration.md', import.meta.url), 'utf8');
  t.equal(written, markdown(), 'run: forage config --markdown > docs/configuration.md');
});

t.test('the commented file is a configuration with every default, commented out or not', async (t) => {
  const defaults = parseConfig('', 'empty');
  t.strictSame(parseConfig(template(), 'template'), defaults);
  t.strictSame(parseConfig(template().replaceAll(/^#(?=\w)/gm, ''), 'template'), defaults);
});

t.test('every option is documented in both', async (t) => {
  for (const [name, option] of optionEntries()) {
    const key = name.slice(name.lastIndexOf('.') + 1);
    t.ok(markdown().includes(`### \`${key}\``), name);
    t.ok(template().includes(`#${key} = `), name);
    t.ok(option.help.endsWith('.'), `${name}: help is in sentences`);
  }
});
