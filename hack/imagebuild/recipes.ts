/**
 * The images. To add one, add an entry: its layers from the bottom up, what it runs, and how to try it.
 * Files for an image to run lie in `workloads/`.
 */
import { readFileSync } from 'node:fs';
import { crafted } from './crafted.ts';
import { debian, files, install, type Recipe, slim } from './recipe.ts';

const workload = (name: string): string =>
  readFileSync(new URL(`workloads/${name}`, import.meta.url), 'utf8');

/** Puts workloads into /srv. */
const srv = (...names: string[]) =>
  files(Object.fromEntries(names.map((name) => [`srv/${name}`, workload(name)])));

const pythonPackages = 'python3 python3-numpy python3-requests python3-yaml python3-sqlalchemy';
const python: Omit<Recipe, 'layers'> = {
  cmd: ['python3', '/srv/app.py'],
  env: { PYTHONUNBUFFERED: '1' },
  smoke: { argv: ['python3', '/srv/app.py'], prints: 'python is ready' },
};

const nodejs: Omit<Recipe, 'layers'> = {
  entrypoint: ['/usr/bin/node'],
  cmd: ['/srv/server.cjs'],
  smoke: { argv: ['/usr/bin/node', '/srv/server.cjs', 'once'], prints: 'node answered' },
};

const apps: Record<string, Recipe> = {
  'python:v1': { ...python, layers: [debian, install(pythonPackages), srv('app.py')] },
  'python:v2': {
    ...python,
    layers: [debian, install(pythonPackages, workload('update-python')), srv('app.py')],
  },

  'nodejs:v1': { ...nodejs, layers: [debian, install('nodejs ca-certificates'), srv('server.cjs')] },
  'nodejs:v2': {
    ...nodejs,
    layers: [debian, install('nodejs ca-certificates', workload('update-nodejs')), srv('server.cjs')],
  },

  nginx: {
    layers: [debian, install('nginx-light curl'), srv('nginx.conf', 'nginx-smoke')],
    compression: 'zstd',
    cmd: ['nginx', '-c', '/srv/nginx.conf', '-g', 'daemon off;'],
    smoke: { argv: ['/srv/nginx-smoke'], prints: 'nginx answered' },
  },

  redis: {
    layers: [
      slim(
        'busybox-static libc-bin libc6 gcc-14-base libgcc-s1 libstdc++6 libatomic1 libssl3t64 zlib1g libzstd1 ' +
          'libsystemd0 libcap2 libjemalloc2 liblua5.1-0 lua-bitop lua-cjson liblzf1',
      ),
      slim('redis-server redis-tools'),
      srv('redis-smoke'),
    ],
    compression: 'none',
    cmd: ['redis-server', '--save', '', '--protected-mode', 'no'],
    smoke: { argv: ['/srv/redis-smoke'], prints: 'redis answered PONG' },
  },

  postgres: {
    layers: [
      debian,
      install('postgresql'),
      install('postgresql-plpython3-17 postgresql-plperl-17', workload('make-database')),
      srv('postgres-smoke'),
    ],
    cmd: ['/usr/lib/postgresql/17/bin/postgres', '-D', '/var/lib/postgresql/shop'],
    env: { PATH: '/usr/lib/postgresql/17/bin:/usr/sbin:/usr/bin:/sbin:/bin' },
    user: 'postgres',
    smoke: { argv: ['/srv/postgres-smoke'], prints: 'postgres counted 10000' },
  },

  openjdk: {
    layers: [
      debian,
      install('openjdk-21-jre-headless'),
      install('openjdk-21-jdk-headless maven'),
      srv('App.java'),
    ],
    entrypoint: ['java'],
    cmd: ['-XX:+UseSerialGC', '/srv/App.java'],
    smoke: { argv: ['java', '-XX:+UseSerialGC', '/srv/App.java'], prints: 'java is ready' },
  },
};

export const recipes: Record<string, Recipe> = { ...apps, ...crafted };
