import pino from 'pino';
import t from 'tap';
import { WithPriority } from './log.ts';

t.test('each line for the journal begins with its priority', async (t) => {
  const lines: string[] = [];
  const log = pino(
    { level: 'debug', base: null, timestamp: false },
    new WithPriority({ write: (line: string) => lines.push(line) }),
  );
  log.debug('a');
  log.info('b');
  log.warn('c');
  log.error('d');
  log.fatal('e');
  t.same(
    lines.map((line) => line.slice(0, 3)),
    ['<7>', '<6>', '<4>', '<3>', '<2>'],
  );
  t.equal(lines[2], '<4>{"level":40,"msg":"c"}\n');
});
