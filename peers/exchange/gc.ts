/**
 * Blocks live outside V8's heap, for milliseconds each. By default V8 collects the whole heap after every 64 MiB of such
 * memory, several times a second at full speed, which took a third of the processor's time on both ends. With this flag it
 * weighs that memory together with the heap, and collects when the sum has grown by a factor.
 */
import { setFlagsFromString } from 'node:v8';

setFlagsFromString('--external-memory-accounted-in-global-limit');
