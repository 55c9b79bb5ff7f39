/**
 * What goes over gossipsub: announcements on a topic of their own, and the topics of `Discovery`. What a message says is judged
 * before it is passed on: nothing wrong travels further than one node.
 */
import { type GossipSub, type Message, TopicValidatorResult } from '@libp2p/gossipsub';
import type { Certificates } from './certificates.ts';
import { signerOf } from './host.ts';
import { checkPublication, MAX_MESSAGE_BYTES } from './limits.ts';

const ANNOUNCEMENTS = 'forage/members/1';

/** `pass`: true, and worth passing on; `old`: true once; `wrong`: passed on by somebody who should have known better. */
export type Verdict = 'pass' | 'old' | 'wrong';

const RESULTS: Record<Verdict, TopicValidatorResult> = {
  pass: TopicValidatorResult.Accept,
  old: TopicValidatorResult.Ignore,
  wrong: TopicValidatorResult.Reject,
};

type Listener = (bytes: Uint8Array, fromName: string) => void;

export interface GossipOptions {
  gossip: GossipSub;
  certificates: Certificates;
  /** Takes an announcement that `signer` has sent, and judges it. */
  onAnnouncement: (bytes: Buffer, signer: string) => Verdict;
  /** The first neighbour listens. */
  onAudience: () => void;
}

export class Gossip {
  readonly #options: GossipOptions;
  readonly #listeners = new Map<string, Set<Listener>>();

  constructor(options: GossipOptions) {
    this.#options = options;
    const { gossip, onAudience } = options;
    this.#validate(ANNOUNCEMENTS, (message) =>
      options.onAnnouncement(Buffer.from(message.data), signerOf(message)),
    );
    gossip.subscribe(ANNOUNCEMENTS);
    gossip.addEventListener('message', ({ detail }) => this.#deliver(detail));
    gossip.addEventListener('subscription-change', ({ detail: { subscriptions } }) => {
      const isFirst = gossip.getSubscribers(ANNOUNCEMENTS).length === 1;
      if (isFirst && subscriptions.some(({ topic, subscribe }) => topic === ANNOUNCEMENTS && subscribe))
        onAudience();
    });
  }

  async announce(bytes: Buffer): Promise<void> {
    await this.#options.gossip.publish(ANNOUNCEMENTS, bytes);
  }

  async publish(topic: string, bytes: Uint8Array): Promise<void> {
    checkPublication(topic, bytes);
    await this.#options.gossip.publish(nameOf(topic), bytes);
  }

  subscribe(topic: string, listener: Listener): () => void {
    checkPublication(topic);
    const name = nameOf(topic);
    const listeners = this.#listeners.get(name) ?? this.#open(name);
    // One function may subscribe twice, and ends each by itself.
    const own: Listener = (bytes, fromName) => listener(bytes, fromName);
    listeners.add(own);
    return () => {
      if (listeners.delete(own) && listeners.size === 0) this.#close(name);
    };
  }

  #open(name: string): Set<Listener> {
    const listeners = new Set<Listener>();
    this.#listeners.set(name, listeners);
    this.#validate(name, (message) => {
      if (message.data.length > MAX_MESSAGE_BYTES) return 'wrong';
      return this.#nameOfSigner(message) === undefined ? 'old' : 'pass';
    });
    this.#options.gossip.subscribe(name);
    return listeners;
  }

  #close(name: string): void {
    this.#listeners.delete(name);
    this.#options.gossip.unsubscribe(name);
  }

  #validate(name: string, judge: (message: Message) => Verdict): void {
    // gossipsub's own class has the map; the interface that it is given out as does not say so.
    const { topicValidators } = this.#options.gossip as GossipSub & {
      topicValidators: Map<string, (peer: unknown, message: Message) => TopicValidatorResult>;
    };
    topicValidators.set(name, (_peer, message) => RESULTS[judge(message)]);
  }

  #nameOfSigner(message: Message): string | undefined {
    return this.#options.certificates.nodeOf(signerOf(message))?.name;
  }

  #deliver(message: Message): void {
    const fromName = this.#nameOfSigner(message);
    if (fromName === undefined) return;
    for (const listener of this.#listeners.get(message.topic) ?? []) listener(message.data, fromName);
  }
}

function nameOf(topic: string): string {
  return `forage/topic/${topic}`;
}
