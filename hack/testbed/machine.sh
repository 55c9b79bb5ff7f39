#!/bin/sh
# One machine of a test cluster, from power-on to power-off: its cgroups, its cable, its root, and the nspawn that
# boots systemd in it. A reboot inside ends nspawn with status 133; then everything but the disk is made anew.
#
#   machine.sh DIR      started by machine.ts in a session of its own; DIR/power holds the settings:
#     label hostname netns switch port address mac rate_bits tbf delay_us node lower
#   It leaves DIR/pid (its own) and DIR/cgroups (the cgroups that hold all of the machine's processes).
set -eu
dir=$1
here=$(dirname "$0")
. "$dir/power"

# Cgroups of our own, below those of whoever started us: for the machine's systemd they are the whole world, and for us
# they name its processes without a guess. `keeper` is this script, `machine` is nspawn's: cgroup v2 wants only leaves
# to hold processes.
enter_cgroups() {
  memberships=$(cat /proc/self/cgroup)
  echo "$memberships" | while IFS=: read -r _ controllers path; do
    case $controllers in
      '') hierarchy=/sys/fs/cgroup; [ -e $hierarchy/cgroup.controllers ] || hierarchy=/sys/fs/cgroup/unified ;;
      *) hierarchy=/sys/fs/cgroup/${controllers#name=} ;;
    esac
    [ -e "$hierarchy/cgroup.procs" ] || continue
    own=${hierarchy}${path%/}/$label
    for group in "$own" "$own/keeper" "$own/machine"; do
      mkdir -p "$group"
      for file in cpuset.cpus cpuset.mems; do # v1: a new cpuset is empty and takes nobody
        [ -e "$group/$file" ] && [ -z "$(cat "$group/$file")" ] && cat "${group%/*}/$file" > "$group/$file" || true
      done
    done
    echo $$ > "$own/keeper/cgroup.procs"
    if [ $hierarchy = /sys/fs/cgroup ]; then
      for group in "${own%/*}" "$own"; do
        for controller in $(cat "$group/cgroup.controllers"); do
          echo "+$controller" 2> /dev/null > "$group/cgroup.subtree_control" || true
        done
      done
    fi
    echo "$own" >> "$dir/cgroups"
  done
}

# The cable from the machine's eth0 to its port on the switch: a veth pair, or, where a delay was asked for, two taps with
# a process between them that holds every packet for a while. Both ends are shaped, each for what it sends.
plug() {
  ip netns add "$netns"
  if [ "$delay_us" -gt 0 ]; then
    "$node" "$here/delay-line.ts" "/run/netns/$netns" eth0 "/run/netns/$switch" "$port" "$delay_us" "$rate_bits" &
    cable=$!
    until ip -n "$switch" link show "$port" > /dev/null 2>&1; do
      kill -0 $cable
      sleep 0.05
    done
  else
    ip -n "$switch" link add "$port" type veth peer name eth0 netns "$netns"
  fi
  ip -n "$netns" link set eth0 address "$mac"
  ip -n "$netns" link set lo up
  ip -n "$netns" address add "$address/24" dev eth0
  tc -n "$netns" qdisc replace dev eth0 root tbf $tbf
  tc -n "$switch" qdisc replace dev "$port" root tbf $tbf
  ip -n "$netns" link set eth0 up
  ip -n "$switch" link set "$port" master "$(cat "$dir/bridge")" up
}

# The port goes by name: with its namespace alone it would go some time later.
unplug() {
  umount -l "$dir/root" 2> /dev/null || true
  if [ -n "${cable:-}" ]; then
    kill $cable 2> /dev/null || true
    wait $cable 2> /dev/null || true
    cable=
  fi
  ip -n "$switch" link delete "$port" 2> /dev/null || true
  ip netns delete "$netns" 2> /dev/null || true
}

# /proc/sys stays read-only: systemd would set the host's sysctls. Where cgroups are v1, systemd wants to be told so.
power_on() {
  set -- --quiet --register=no --keep-unit --boot --capability=all --console=read-only --resolv-conf=off --timezone=off \
    --machine="$label" --hostname="$hostname" --directory="$dir/root" --network-namespace-path="/run/netns/$netns"
  for device in /dev/fuse /dev/net/tun /dev/loop-control /dev/loop[0-9]*; do
    [ ! -e $device ] || set -- "$@" --bind=$device
  done
  for disk in "$dir"/disk/*; do
    set -- "$@" --bind="$disk:/var/lib/${disk##*/}"
  done
  set -- "$@" systemd.unit=multi-user.target systemd.condition_needs_update=0
  export SYSTEMD_SECCOMP=0 # CRIU may not suspend seccomp under a filter of ours
  if [ ! -e /sys/fs/cgroup/cgroup.controllers ]; then
    export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=0
    set -- "$@" SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1 systemd.unified_cgroup_hierarchy=0
  fi
  sh -c 'while read -r own; do echo $$ > "$own/machine/cgroup.procs"; done < "$0"; exec systemd-nspawn "$@"' "$dir/cgroups" "$@"
}

rm -f "$dir/cgroups"
enter_cgroups
echo $$ > "$dir/pid"
trap unplug EXIT
status=133
while [ $status = 133 ]; do
  plug
  mount -t overlay "$label" -o "lowerdir=$lower,upperdir=$dir/upper,workdir=$dir/work" "$dir/root"
  status=0
  power_on || status=$?
  unplug
done
exit $status
