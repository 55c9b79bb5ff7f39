/** A machine for tests of the shim: a folder with a runc that is a script, containers of its making, and a node that is a few lines. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import { type Answer, messages, type Request, requestSchema, send } from './protocol.ts';

export const REFERENCE = { forage: 1, checkpoint: 'web-1', nonce: 'ab'.repeat(16) } as const;

/**
 * Writes down how it was called; dumps two files; takes `RUNC_RESTORES` seconds to restore, and leaves memory for later where `RUNC_MEMORY` is an
 * address and a number of pages.
 */
const RUNC = `#!/bin/sh
echo "$*" >> "$BED/calls"
image=
work=
previous=
for argument; do
  [ "$previous" != --image-path ] || image=$argument
  [ "$previous" != --work-path ] || work=$argument
  previous=$argument
done
case " $* " in
  *" --help "*) printf '   --file-locks  x\\n   --lazy-pages  x\\n   --tcp-established  x\\n' ;;
  *" checkpoint "*)
    [ -z "\${RUNC_FAILS:-}" ] || { echo "criu failed: no reason" >&2; exit 1; }
    mkdir -p "$image"
    echo pages > "$image/pages-1.img"
    echo inventory > "$image/inventory.img"
    echo '[]' > "$image/descriptors.json" ;;
  *" restore "*)
    [ -z "\${RUNC_FAILS:-}" ] || exit 3
    echo $PPID > "$BED/guard-pid"
    head -c 100 "$image/pages-1.img" > "$BED/restored"
    sleep "\${RUNC_RESTORES:-0}"
    [ -n "\${RUNC_MEMORY:-}" ] || exit 0
    # As CRIU does it, and then the program.
    setsid "$NODE" "$FORAGE_LIB/shim/criu.twin.ts" "$work" $RUNC_MEMORY < /dev/null > /dev/null 2> "$BED/program.log" &
    echo $! > "$BED/program-pid"
    until [ -e "$BED/handed" ]; do sleep 0.01; done ;;
  *" kill "*) [ ! -e "$BED/program-pid" ] || kill -9 "$(cat "$BED/program-pid")" ;;
esac
`;

type Handler = (request: Request, socket: Socket) => Answer | undefined | Promise<Answer | undefined>;

export class Bed {
  readonly folder: string;
  /** What the node was asked. */
  readonly asked: Request[] = [];

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async make(t: Test): Promise<Bed> {
    const bed = new Bed(await mkdtemp(join(tmpdir(), 'forage-shim-')));
    t.teardown(() => rm(bed.folder, { recursive: true, force: true, maxRetries: 5 }));
    await writeFile(bed.path('runc'), RUNC);
    await chmod(bed.path('runc'), 0o755);
    for (const folder of ['root/c1', 'bundle/rootfs', 'staged', 'volume', 'work'])
      await mkdir(bed.path(folder), { recursive: true });
    const state = {
      init_process_pid: process.pid,
      config: { rootfs: bed.path('bundle/rootfs'), labels: [`bundle=${bed.path('bundle')}`] },
    };
    await writeFile(bed.path('root/c1/state.json'), JSON.stringify(state));
    await writeFile(bed.path('bundle/config.json'), JSON.stringify({ root: { path: 'rootfs' } }));
    await writeFile(bed.path('volume/pages-1.img'), 'of the volume');
    return bed;
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  text(name: string): Promise<string> {
    return readFile(this.path(name), 'utf8');
  }

  /** A node that answers so; undefined ends the connection. */
  async node(t: Test, handler: Handler): Promise<void> {
    const server = createServer(async (socket) => {
      socket.on('error', () => {});
      for await (const request of messages(socket, requestSchema)) {
        this.asked.push(request);
        const answer = await handler(request, socket);
        if (answer) send(socket, answer);
        else socket.destroy();
      }
    });
    await new Promise<void>((resolve) => server.listen(this.path('shim.sock'), resolve));
    t.teardown(() => server.close());
  }

  /** What a node says when all is well. */
  readonly well: Handler = (request) => {
    switch (request.do) {
      case 'stage':
        return { staged: this.path('staged'), id: 'web-1', flags: ['--file-locks', '--tcp-close'] };
      case 'take':
        return { taken: { reference: REFERENCE } };
      case 'restore':
        return {
          restore: { images: this.path('volume'), files: [], flags: ['--tcp-established'], lazy: true },
        };
      default:
        return { ok: true };
    }
  };

  /** forage-runc, as installed. */
  async run(argv: string[], environment: Record<string, string> = {}) {
    const child = this.start(argv, environment);
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const [status] = (await once(child, 'close')) as [number];
    return { status, stderr };
  }

  start(argv: string[], environment: Record<string, string> = {}) {
    const program = fileURLToPath(new URL('forage-runc', import.meta.url));
    const lib = fileURLToPath(new URL('..', import.meta.url));
    return spawn(program, argv, {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: {
        ...process.env,
        BED: this.folder,
        FORAGE_LIB: lib,
        FORAGE_RUN: this.folder,
        FORAGE_RUNC: this.path('runc'),
        NODE: process.execPath,
        NODE_COMPILE_CACHE: join(tmpdir(), 'forage-shim-cache'),
        ...environment,
      },
    });
  }

  checkpoint(...more: string[]): string[] {
    const log = ['--log', this.path('log.json'), '--log-format', 'json'];
    const paths = ['--image-path', this.path('images'), '--work-path', this.path('work')];
    return ['--root', this.path('root'), ...log, 'checkpoint', ...paths, ...more, 'c1'];
  }

  restore(): string[] {
    const log = ['--log', this.path('log.json'), '--log-format', 'json'];
    const paths = ['--image-path', this.path('images'), '--work-path', this.path('work')];
    return ['--root', this.path('root'), ...log, 'restore', ...paths, '--bundle', this.path('bundle'), 'c1'];
  }
}

/** Looks until it is so. */
export async function until(isSo: () => Promise<boolean> | boolean): Promise<void> {
  for (;;) {
    if (await isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
