/** How a node makes its connections for blocks: TLS, given up when nobody answers. */
import { connect } from 'node:tls';
import type { Dial } from './block-channel.ts';
import { BLOCKS_PROTOCOL } from './frames.ts';
import { type ClientTls, dialOptions, splitAddress } from './tls.ts';

const CONNECT_TIMEOUT_MS = 2000;
const READ_BYTES = 64 * 1024;

/** Throws TypeError when the address is none. */
export function blockDialer(address: string, tls: ClientTls): Dial {
  const to = splitAddress(address);
  return (heard) => {
    const onread = { buffer: Buffer.allocUnsafeSlow(READ_BYTES), callback: heard };
    const options = dialOptions(to, tls, BLOCKS_PROTOCOL);
    // The types of tls.connect lack what it passes on to the socket.
    const socket = connect({ ...options, onread } as typeof options);
    const timer = setTimeout(() => socket.destroy(new Error('no answer')), CONNECT_TIMEOUT_MS);
    socket.on('secureConnect', () => clearTimeout(timer));
    socket.on('close', () => clearTimeout(timer));
    return socket;
  };
}
