/**
 * Waits for a stream that has said that it is full; rejects when it ends. libp2p's own `onDrain` waits only the first time (it keeps
 * its promise), and what is sent after that piles up in memory.
 */
import type { MessageStream } from '@libp2p/interface';

export function drained(stream: MessageStream): Promise<void> {
  if (!stream.writableNeedsDrain) return Promise.resolve();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onDrain = () => resolve();
  const onEnd = () => reject(new Error('the stream ended'));
  stream.addEventListener('drain', onDrain);
  stream.addEventListener('close', onEnd);
  return promise.finally(() => {
    stream.removeEventListener('drain', onDrain);
    stream.removeEventListener('close', onEnd);
  });
}
