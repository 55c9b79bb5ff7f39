/**
 * Calls from node to node over the simulated network: a request, what the other's process makes of it, an answer. A machine
 * that is silent costs the caller its patience; one whose process is down refuses at once. A process that has died in the
 * meantime answers nothing and is told nothing.
 */
import type { SimNode } from './node.ts';
import type { World } from './world.ts';

export interface Answer<T> {
  value: T;
  bytes: number;
}

export interface Call<T> {
  from: SimNode;
  to: SimNode;
  requestBytes: number;
  timeoutMs: number;
  serve(): Promise<Answer<T>>;
}

export function call<T>(world: World, { from, to, requestBytes, timeoutMs, serve }: Call<T>): Promise<T> {
  const { network, time } = world;
  const { life } = from;
  return new Promise((resolve, reject) => {
    const fail = (why: string) => {
      cancel();
      if (from.life === life) reject(new Error(`${to.name} ${why}`));
    };
    const cancel = time.after(timeoutMs, () => fail('does not answer'));
    const refuse = (why: string) => network.send(to.port, from.port, 0, () => fail(why));
    network.send(from.port, to.port, requestBytes, () => {
      const { process } = to;
      if (!process) {
        refuse('refuses');
        return;
      }
      serve().then(
        ({ value, bytes }) => {
          if (to.process !== process) return;
          network.send(to.port, from.port, bytes, () => {
            cancel();
            if (from.life === life) resolve(value);
          });
        },
        (error: Error) => refuse(`fails: ${error.message}`),
      );
    });
  });
}
