import t from 'tap';
import {
  BadPinMessageError,
  checkPinAnswers,
  checkPinRequest,
  MAX_PIN_IDS,
  type PinAnswer,
} from './messages.ts';

const name = (n: number) => n.toString(16).padStart(64, '0');
const names = (count: number) => Array.from({ length: count }, (_, i) => name(i));

t.test('a request within the bounds is taken', async () => {
  checkPinRequest({ roots: names(1), ids: names(1) });
  checkPinRequest({ roots: names(3), ids: names(MAX_PIN_IDS) });
});

t.test('requests that no node sends are refused', async (t) => {
  const one = names(1);
  const bad = [
    { roots: [], ids: one },
    { roots: one, ids: [] },
    { roots: one, ids: names(MAX_PIN_IDS + 1) },
    { roots: names(257), ids: one },
    { roots: one, ids: [name(1), name(1)] },
    { roots: one, ids: [name(1).slice(1)] },
    { roots: [name(255).toUpperCase()], ids: one },
    { roots: one, ids: ['x'.repeat(1e6)] },
  ];
  for (const request of bad) t.throws(() => checkPinRequest(request), BadPinMessageError);
});

t.test('answers must be as many as the blocks, and of the known kinds', async (t) => {
  const request = { roots: names(1), ids: names(2) };
  checkPinAnswers(request, ['kept', 'unknown volume']);
  t.throws(() => checkPinAnswers(request, ['kept']), /1 answers to a question of 2 blocks/);
  t.throws(() => checkPinAnswers(request, ['kept', 'sure' as PinAnswer]), /"sure"/);
});
