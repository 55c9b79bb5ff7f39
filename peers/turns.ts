/** Long loops that let others have their turn. */
import { setImmediate as yieldToEvents } from 'node:timers/promises';

/** The same items, with a pause after every `slice` of them: choose it so that a slice is some milliseconds of work. */
export async function* inTurns<T>(items: Iterable<T>, slice: number): AsyncGenerator<T> {
  let done = 0;
  for (const item of items) {
    yield item;
    if (++done % slice === 0) await yieldToEvents();
  }
}
