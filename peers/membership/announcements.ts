/** The announcements of others on their way into the roster: each is checked for what its way demands. */
import { isSigned, open, type Sealed } from './announcement.ts';
import { type Certificates, RefusedError } from './certificates.ts';
import type { Presence } from './presence.ts';
import { compareAge } from './roster.ts';

export class Announcements {
  readonly #certificates: Certificates;
  readonly #presence: Presence;

  constructor(certificates: Certificates, presence: Presence) {
    this.#certificates = certificates;
    this.#presence = presence;
  }

  /**
   * One that came by gossip, where only its subject may publish it. Answers whether it is worth passing on.
   * Throws WireError, RefusedError.
   */
  judge(bytes: Buffer, signer: string): boolean {
    const sealed = open(bytes, this.#certificates);
    const { name, peerId } = sealed.node;
    if (peerId.toString() !== signer) throw new RefusedError(`somebody else announced ${name}`);
    const known = this.#presence.get(name);
    const order = known ? compareAge(sealed.announcement, known.announcement) : 1;
    if (order > 0) this.#hear(sealed, 0);
    // What an exchange was faster with is still news to others.
    return order > 0 || (order === 0 && known !== undefined && known.bytes.equals(bytes));
  }

  /** One that somebody passed on about `agoMs` after it was said. Throws WireError, RefusedError. */
  take(bytes: Buffer, agoMs: number): void {
    const sealed = open(bytes, this.#certificates);
    const known = this.#presence.get(sealed.node.name);
    if (!known || compareAge(sealed.announcement, known.announcement) > 0) this.#hear(sealed, agoMs);
  }

  #hear(sealed: Sealed, agoMs: number): void {
    const { node, announcement, bytes } = sealed;
    if (!isSigned(sealed)) throw new RefusedError(`a forged announcement of ${node.name}`);
    this.#presence.hear({ name: node.name, peerId: node.peerId.toString(), announcement, bytes }, agoMs);
  }
}
