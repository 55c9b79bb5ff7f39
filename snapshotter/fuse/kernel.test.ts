import { KernelTransport } from './kernel.ts';
import { mountFuse } from './testkit.ts';
import { transportConformance } from './transport.conformance.ts';

transportConformance(
  'kernel',
  (t, { mountPoint, ...parts }) => new KernelTransport({ fd: mountFuse(t, mountPoint), ...parts }),
);
