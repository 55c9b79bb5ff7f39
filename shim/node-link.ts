/** A connection to the node, for one checkpoint or one restore. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { type Answer, answerSchema, messages, ProtocolError, type Request, send } from './protocol.ts';

const SOCKET = join(process.env.FORAGE_RUN || '/run/forage', 'shim.sock');

/** The node said no, or went away; the message is for people. */
export class NodeError extends Error {
  /** Nobody listens: the node process is down. */
  readonly isAway: boolean;
  constructor(message: string, isAway = false) {
    super(message);
    this.name = 'NodeError';
    this.isAway = isAway;
  }
}

type Key = Exclude<{ [A in Answer as keyof A]: keyof A }[keyof UnionToIntersection<Answer>], undefined>;
type UnionToIntersection<U> = (U extends unknown ? (u: U) => void : never) extends (i: infer I) => void
  ? I
  : never;
type With<K> = Extract<Answer, Record<K & PropertyKey, unknown>>;

export class NodeLink {
  readonly #socket: Socket;
  readonly #answers: AsyncGenerator<Answer, void>;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#answers = messages(socket, answerSchema);
  }

  /** Rejects with NodeError. */
  static async open(): Promise<NodeLink> {
    const socket = connect(SOCKET);
    try {
      await once(socket, 'connect');
    } catch (error) {
      throw new NodeError(`no node answers at ${SOCKET}: ${(error as Error).message}`, true);
    }
    socket.on('error', () => {});
    return new NodeLink(socket);
  }

  /** Asks, and waits for the answer that has this key; `progress` on the way is told. Rejects with NodeError. */
  async ask<K extends Key>(
    request: Request,
    key: K,
    told: (text: string) => void = () => {},
  ): Promise<With<K>> {
    send(this.#socket, request);
    for (;;) {
      const { value } = await this.#answers.next();
      if (!value) throw new NodeError('the node has ended', true);
      if ('error' in value) throw new NodeError(value.error);
      if (key in value) return value as With<K>;
      if (!('progress' in value)) throw new ProtocolError(`an answer without ${key}`);
      told(value.progress.text);
    }
  }

  /** Resolves when the node has ended the connection. */
  async ended(): Promise<void> {
    if (!this.#socket.closed) await once(this.#socket, 'close');
  }

  close(): void {
    this.#socket.destroy();
  }
}
