import { NativeTransport } from './native.ts';
import { transportConformance } from './transport.conformance.ts';

transportConformance('fuse-native', (_t, parts) => new NativeTransport(parts));
