#!/usr/bin/env bash
# Boots a real systemd as pid 1 of throw-away namespaces, on top of a read-only view of this machine's own root file system (an overlay,
# all writes of which are in a tmpfs). It takes a second. Needs root, overlayfs, systemd in the root file system (tested: 252) and util-linux;
# not systemd as this machine's own pid 1, no network and no images. Ends with 77 where it cannot run.
#
#   systemd_container.sh up                  boots; returns when the boot is finished
#   systemd_container.sh exec CMD [ARG...]   runs CMD inside (exit status is CMD's)
#   systemd_container.sh down                powers off, removes every trace
#   systemd_container.sh run CMD [ARG...]    up, exec CMD, down; if this process is killed, all inside is killed with it
#
# Environment:
#   SDC_DIR     state folder (default /tmp/sdc); $SDC_DIR/share is /mnt inside, and may hold something before `up`
#   SDC_ROOT    root file system used as the lower layer (default /)
#   SDC_TARGET  what to boot (default basic.target)
#   SDC_CGROUP  auto|unified  (auto: hybrid when this machine has v1 controllers,
#               so that MemoryMax=, TasksMax=, CPUQuota= are enforced through v1)
#   SDC_TIMEOUT seconds to wait for boot and for power-off (default 60)
set -euo pipefail
umask 022 # the upper layer's mode becomes the mode of /
D=${SDC_DIR:-/tmp/sdc} LOWER=${SDC_ROOT:-/} TARGET=${SDC_TARGET:-basic.target}
CGMODE=${SDC_CGROUP:-auto} T=${SDC_TIMEOUT:-60}
tied=() # to this process's life
say() { echo "sdc: $*" >&2; }
die() { say "$*"; exit 99; }
born() { local s; s=$(cat "/proc/$1/stat" 2>/dev/null) || return 1; read -r -a s <<<"${s##*) }"; [ "${s[0]}" != Z ] && echo "${s[19]}"; }
live() { # FILE holds "pid starttime": print the pid if that very process still lives
  local p b; [ -s "$D/$1" ] && read -r p b <"$D/$1" && [ "$(born "$p")" = "$b" ] && echo "$p"
}

cgroup_dirs() { # every hierarchy of ours: "controllers|name=...|(empty for v2) <TAB> our cgroup's folder"
  while IFS=: read -r _ ctl path; do
    local mp=
    while read -r _ m type opts _; do
      case $type:$ctl in
        cgroup2:) mp=$m ;;
        cgroup:?*) [[ ,$opts, == *",$ctl,"* ]] && mp=$m ;;
      esac
      [ -n "$mp" ] && break
    done </proc/self/mounts
    [ -n "$mp" ] && printf '%s\t%s\n' "${ctl:--}" "$mp${path%/}"
  done </proc/self/cgroup
}

sweep() { # what a run left that was killed: its groups are empty, and its number is nobody's
  local dir group
  while IFS=$'\t' read -r _ dir; do
    for group in "$dir"/sdc-*; do
      if [ ! -d "$group" ] || [ -d "/proc/${group##*-}" ]; then continue; fi
      if [ -n "$(find "$group" -name cgroup.procs -exec cat {} + 2>/dev/null)" ]; then continue; fi
      find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || true
    done
  done < <(cgroup_dirs)
}

fail() { sed 's/^/  | /' "$D/console.log" >&2; T=5 down; die "$*"; }
skip() { say "cannot run here: $*"; exit 77; }

up() {
  [ "$(id -u)" = 0 ] || skip "must be root"
  [ -x "$LOWER/lib/systemd/systemd" ] || skip "no $LOWER/lib/systemd/systemd"
  unshare --mount --pid --uts --ipc --net --cgroup --fork mount -t tmpfs t /mnt 2>/dev/null || skip "no right to make namespaces"
  if live init >/dev/null; then die "already up ($D)"; fi
  down
  mkdir -p "$D/share" "$D/fs"; chmod 755 "$D"; : >"$D/cgroups"; : >"$D/console.log"
  local name=sdc-$$ ctl dir f
  sweep
  while IFS=$'\t' read -r ctl dir; do
    mkdir "$dir/$name" 2>/dev/null || { say "no cgroup in $dir (skipped)"; continue; }
    case $ctl in *cpuset*)                        # v1: a new cpuset is empty, nothing may join it yet
      for f in cpuset.mems cpuset.cpus; do cat "$dir/$f" >"$dir/$name/$f"; done ;;
    esac
    printf '%s\t%s\n' "$ctl" "$dir/$name" >>"$D/cgroups"
  done < <(cgroup_dirs)
  grep -q '^-' "$D/cgroups" || { down; skip "no writable cgroup2 hierarchy"; }
  SDC_DIR=$D SDC_ROOT=$LOWER SDC_TARGET=$TARGET SDC_CGROUP=$CGMODE setsid "${tied[@]}" \
    unshare --mount --pid --uts --ipc --net --fork --kill-child --propagation private \
    bash "$(readlink -f "$0")" __join </dev/null >"$D/console.log" 2>&1 &
  local u=$! i s I; echo "$u $(born "$u")" >"$D/unshare"
  for ((i = 0; i < T * 10; i++)); do
    born "$u" >/dev/null || fail "pid 1 died"
    # (no pgrep here: it reads /proc/*/cgroup of every process and can hang for seconds on the kernel's cgroup lock)
    if I=$(live init) && [ "$(cat "/proc/$I/comm" 2>/dev/null)" = systemd ]; then
      s=$(inside timeout 5 systemctl is-system-running 2>/dev/null || true)
      case $s in
        running | degraded) say "up: $s (pid 1 is $I here)"; return 0 ;;
        maintenance) fail "boot ended in rescue mode" ;;
      esac
    fi
    sleep 0.1
  done
  fail "boot not finished in $T s (state: ${s:-none})"
}

join() { # only pid 1 joins (never its parent outside): systemd trips over foreign pids in its root cgroup
  local dir p
  read -r p _ </proc/self/stat; echo "$p $(born "$p")" >"$D/init"   # /proc is still the outer one here: our outer pid
  while IFS=$'\t' read -r _ dir; do echo 0 >"$dir/cgroup.procs"; done <"$D/cgroups"
  exec unshare --cgroup bash "$0" __inner
}

inner() { # pid 1 of the new pid namespace; builds the root, then becomes systemd
  local R=$D/fs/root n hy='' ctl dir
  hostname sdc
  mount -t tmpfs -o mode=755 sdc "$D/fs"
  mkdir "$D/fs/up" "$D/fs/wk" "$R"
  mount -t overlay sdc-root -o "lowerdir=$LOWER,upperdir=$D/fs/up,workdir=$D/fs/wk" "$R"
  # nothing that this machine enabled may start: drop the enable links, keep the units
  rm -rf "$R"/etc/systemd/system/*.wants "$R"/etc/systemd/system/*.requires
  tr -d - </proc/sys/kernel/random/uuid >"$R/etc/machine-id"
  echo sdc >"$R/etc/hostname"; rm -f "$R/etc/fstab"
  rm -rf "$R/var/log/journal"; mkdir -p "$R/mnt" "$R/.old" "$R/tmp" "$R/run"
  mount -t proc -o nosuid,nodev,noexec proc "$R/proc"
  mount --bind "$R/proc/sys" "$R/proc/sys"; mount --bind "$R/proc/sys/net" "$R/proc/sys/net"   # net: our own namespace's
  mount -o remount,bind,ro "$R/proc/sys"
  [ ! -e "$R/proc/sysrq-trigger" ] || mount --bind /dev/null "$R/proc/sysrq-trigger"
  mount -t sysfs -o ro,nosuid,nodev,noexec sysfs "$R/sys"
  mount -t tmpfs -o mode=755,nosuid tmpfs "$R/dev"
  for n in null:1:3 zero:1:5 full:1:7 random:1:8 urandom:1:9 tty:5:0; do
    IFS=: read -r n maj min <<<"$n"; mknod -m 666 "$R/dev/$n" c "$maj" "$min"
  done
  mkdir "$R/dev/pts" "$R/dev/shm"
  mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5,nosuid,noexec devpts "$R/dev/pts"
  mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs "$R/dev/shm"
  ln -s pts/ptmx "$R/dev/ptmx"; ln -s /proc/self/fd "$R/dev/fd"
  for n in 0:stdin 1:stdout 2:stderr; do ln -s "/proc/self/fd/${n%:*}" "$R/dev/${n#*:}"; done
  : >"$R/dev/console"; mount --bind "$D/console.log" "$R/dev/console"
  mount -t tmpfs -o mode=755,nosuid,nodev tmpfs "$R/run"
  mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs "$R/tmp"
  mount --bind "$D/share" "$R/mnt"
  mkdir -p "$R/run/systemd/journald.conf.d"
  printf '[Journal]\nStorage=volatile\nForwardToWall=no\nRateLimitBurst=0\n' >"$R/run/systemd/journald.conf.d/sdc.conf"
  # cgroups: the namespace makes our own sub-cgroup the root of every hierarchy
  [ "$CGMODE" = auto ] && grep -qv '^-' "$D/cgroups" && hy=1
  if [ -z "$hy" ]; then
    mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 "$R/sys/fs/cgroup"
  else
    mount -t tmpfs -o mode=755,nosuid,nodev,noexec tmpfs "$R/sys/fs/cgroup"
    while IFS=$'\t' read -r ctl dir; do
      case $ctl in
        -) n=unified; mkdir "$R/sys/fs/cgroup/$n"; mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 "$R/sys/fs/cgroup/$n" ;;
        name=*) n=${ctl#name=}; mkdir "$R/sys/fs/cgroup/$n"; mount -t cgroup -o "nosuid,nodev,noexec,none,$ctl,xattr" cgroup "$R/sys/fs/cgroup/$n" ;;
        *) mkdir "$R/sys/fs/cgroup/$ctl"; mount -t cgroup -o "nosuid,nodev,noexec,$ctl" cgroup "$R/sys/fs/cgroup/$ctl"
           case $ctl in *,*) for n in ${ctl//,/ }; do ln -s "$ctl" "$R/sys/fs/cgroup/$n"; done ;; esac ;;
      esac
    done <"$D/cgroups"
  fi
  cd "$R"; pivot_root . .old; cd /; umount -l /.old; rmdir /.old
  mount --make-rshared /     # in a container systemd leaves this to us; LoadCredential= and systemctl bind need it
  # what is not namespaced must stay out of reach (as systemd-nspawn does)
  exec env -i container=sdc TERM=dumb PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    setpriv --bounding-set -sys_time,-sys_module,-sys_rawio,-syslog,-wake_alarm,-block_suspend,-audit_control,-audit_read,-mac_admin,-mac_override \
    /lib/systemd/systemd --unit="$TARGET" >/dev/console 2>&1 </dev/null
}

inside() {
  local I; I=$(live init) || die "not up ($D)"
  nsenter -t "$I" -m -u -i -n -p -C -r -w -- \
    env -i container=sdc TERM=dumb SYSTEMD_PAGER= SYSTEMD_COLORS=0 LANG=C.UTF-8 HOME=/root \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
}

down() {
  local I i dir
  if I=$(live init); then
    kill -s RTMIN+4 "$I" 2>/dev/null || true                       # systemd: poweroff.target
    for ((i = 0; i < T * 10; i++)); do live init >/dev/null || break; sleep 0.1; done
    if live init >/dev/null; then say "no orderly power-off in $T s; killing"; fi
  fi
  if I=$(live unshare); then                                       # --kill-child takes pid 1, that takes the rest
    sleep 0.2; if live unshare >/dev/null; then kill -9 "$I" || true; sleep 0.5; fi
  fi
  if [ -f "$D/cgroups" ]; then
    while IFS=$'\t' read -r _ dir; do
      for i in 1 2 3 4 5; do
        [ -d "$dir" ] || break
        find "$dir" -depth -type d -exec rmdir {} + 2>/dev/null || true
        [ -d "$dir" ] && sleep 0.2
      done
      if [ -d "$dir" ]; then say "cgroup left behind: $dir"; fi
    done <"$D/cgroups"
  fi
  if [ -n "$D" ] && [ -f "$D/cgroups" ]; then rm -rf --one-file-system "$D"; fi
}

case ${1-} in
  up) up ;;
  exec) shift; inside "$@" ;;
  down) down ;;
  run) shift; tied=(setpriv --pdeathsig KILL); up; trap down EXIT; trap 'exit 130' INT TERM HUP; rc=0; inside "$@" <&0 & wait $! || rc=$?; exit "$rc" ;;
  __join) join ;;
  __inner) inner ;;
  *) sed -n '2,19p' "$0"; exit 2 ;;
esac
