#!/bin/sh
# Keeps the volume server's mount alive: it holds the descriptor of /dev/fuse, starts the server on it and starts it
# again whenever it dies. Reads wait meanwhile; none fails. systemd's descriptor store keeps the descriptor while this
# script itself is away. It must never touch the mounted folder, not even stat it: only the server could answer.
#
# usage: holder.sh [CONFIGURATION]     default: /etc/forage/config.toml; no such file: FORAGE_* of settings.ts, or defaults
set -u
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
config=${1:-/etc/forage/config.toml}

# No optimising compiler: it saves 6 MB and makes nothing slower here. The flags are part of the compile cache's key.
run() {
  script=$1
  shift
  "$here/../../node_modules/node/bin/node" --no-opt --max-semi-space-size=1 "$here/$script" "$@"
}

# Status 2: a mistake in the configuration, which a restart does not mend.
settings=$(run prepare.ts "$config") || exit 2
# shellcheck disable=SC2086,SC2163  # plain words, checked by settings.ts
export $settings
point=$FORAGE_RUN/volumes

mounted() {
  while read -r _ _ _ _ at _; do [ "$at" != "$point" ] || return 0; done < /proc/self/mountinfo
  return 1
}

# A new mount with a descriptor of its own, in the place of dead ones.
mount_volumes() {
  while mounted; do umount -i -c -l "$point" || return 1; done
  mkdir -p "$point" || return 1
  [ "$FORAGE_TRANSPORT" = kernel ] || return 0
  exec 3<> /dev/fuse
  options=ro,nosuid,nodev,noexec,fd=3,rootmode=40000,user_id=0,group_id=0,default_permissions,max_read=1048576
  mount -i -t fuse.forage -o "$options" forage "$point" || return 1
  [ -z "${NOTIFY_SOCKET:-}" ] || systemd-notify --fd=3 --fdname=fuse FDSTORE=1
}

if [ "${LISTEN_FDNAMES:-}" != fuse ] || [ "$FORAGE_TRANSPORT" != kernel ]; then
  mount_volumes || exit 1
fi
[ -z "${NOTIFY_SOCKET:-}" ] || systemd-notify --ready
unset LISTEN_FDS LISTEN_FDNAMES LISTEN_PID

failures=0
while :; do
  run server.ts
  status=$?
  if [ $status -eq 3 ] || [ "$FORAGE_TRANSPORT" != kernel ]; then mount_volumes || exit 1; fi
  # One that was killed is replaced at once. One that ends by itself, again and again, gains nothing from haste.
  if [ $status -lt 128 ]; then failures=$((failures + 1)); else failures=0; fi
  [ $failures -lt 5 ] || sleep 1
done
