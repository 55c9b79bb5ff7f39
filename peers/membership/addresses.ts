/** `host:port`, as everywhere in forage, and libp2p's multiaddrs. */
import { isIPv4, isIPv6 } from 'node:net';
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import { splitListen } from '../exchange/tls.ts';

/** `peerId` makes libp2p refuse whoever else answers there. Throws TypeError. */
export function multiaddrOf(address: string, peerId?: string): Multiaddr {
  const { host, port } = splitListen(address);
  const kind = isIPv4(host) ? 'ip4' : isIPv6(host) ? 'ip6' : 'dns';
  return multiaddr(`/${kind}/${host}/tcp/${port}${peerId === undefined ? '' : `/p2p/${peerId}`}`);
}

/** undefined for what is not plain TCP. */
export function addressOf(from: Multiaddr): string | undefined {
  const [network, transport, ...rest] = from.getComponents();
  if (!network?.value || transport?.name !== 'tcp' || rest.some(({ name }) => name !== 'p2p'))
    return undefined;
  if (network.name === 'ip6') return `[${network.value}]:${transport.value}`;
  return ['ip4', 'dns', 'dns4', 'dns6'].includes(network.name)
    ? `${network.value}:${transport.value}`
    : undefined;
}

/** Nobody can dial an address that means all of a node's own. */
export function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}
