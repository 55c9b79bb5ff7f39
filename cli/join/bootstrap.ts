/** The members that a new one asks first, as a person types them and as the configuration wants them. */
import { isIPv6 } from 'node:net';
import { splitAddress } from '../../node/config/option.ts';
import { UsageError } from '../errors.ts';

const PORT = 7401;

/** `host:port` of each, once. A port that is left out is libp2p's. Throws UsageError. */
export function bootstrapAddresses(typed: readonly string[]): string[] {
  return [...new Set(typed.map(addressOf))];
}

function addressOf(typed: string): string {
  const bare = isIPv6(typed) ? `[${typed}]` : typed;
  const address = splitAddress(bare) ? bare : `${bare}:${PORT}`;
  if (splitAddress(address)) return address;
  throw new UsageError(
    `${JSON.stringify(typed.slice(0, 100))}: expected the address of a member, such as 10.0.0.1 or n1.example:${PORT}`,
  );
}
