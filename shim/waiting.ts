/**
 * Whoever waits for a restore: the shell of forage-runc, at the other end of a pipe. It is told `begun`, then runc's status, and ends with that
 * while this process goes on.
 */
import { closeSync, writeSync } from 'node:fs';
import { releaseStreams } from './streams.ts';

export interface Waiting {
  /** runc begins: from here on there may be processes of the container. */
  begun(): void;
  /** The container's standard streams are let go. Answers whether somebody has heard it. */
  ended(status: number): boolean;
}

export function waitingAt(fd: number): Waiting {
  let isOver = false;
  const tell = (text: string): boolean => {
    try {
      writeSync(fd, text);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EPIPE') return false;
      throw error;
    }
  };
  return {
    begun: () => void tell('begun '),
    ended(status) {
      if (isOver) return false;
      isOver = true;
      releaseStreams();
      const isHeard = tell(`${status}`);
      closeSync(fd);
      return isHeard;
    },
  };
}
