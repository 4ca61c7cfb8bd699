#!/usr/bin/env bash
# Boots a kernel of its own, User Mode Linux, with a real systemd on a read-only view of this machine's root file system, runs one command in it, and
# powers it off: for what this machine's kernel does not give to namespaces, such as control groups of version 2 with memory and pids. It takes ten
# seconds to half a minute. Needs root (of this machine), and Debian's packages user-mode-linux and kmod. Ends with 77 where it cannot run.
#
#   user_mode_machine.sh SHARE CMD [ARG...]   SHARE is /mnt inside, and CMD's standard output and error come out here; the exit status is CMD's
#
# Environment:
#   UMM_MEMORY   of the machine (default 1536M)
#   UMM_TIMEOUT  seconds for all of it (default 300)
set -euo pipefail
umask 022
memory=${UMM_MEMORY:-1536M} timeout=${UMM_TIMEOUT:-300}
kernel=/usr/bin/linux.uml
skip() { echo "user-mode machine: cannot run here: $*" >&2; exit 77; }

boot() { # pid 1 of the machine: builds its root file system, then becomes systemd
  local share=$1 root=/mnt/root path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
  export PATH=$path
  mount -t proc proc /proc
  mount -t tmpfs -o mode=755 machine /mnt
  insmod "/usr/lib/uml/modules/$(uname -r)/kernel/fs/overlayfs/overlay.ko"
  mkdir /mnt/up /mnt/work "$root"
  mount -t overlay root -o "lowerdir=/,upperdir=/mnt/up,workdir=/mnt/work" "$root"
  # Nothing that is enabled on the machine outside may start.
  rm -rf "$root"/etc/systemd/system/*.wants "$root"/etc/systemd/system/*.requires "$root/var/log/journal"
  rm -f "$root/etc/fstab"
  tr -d - </proc/sys/kernel/random/uuid >"$root/etc/machine-id"
  echo user-mode >"$root/etc/hostname"
  mkdir -p "$root/mnt" "$root/.old" "$root/tmp" "$root/etc/systemd/journald.conf.d"
  printf '[Journal]\nStorage=volatile\nForwardToWall=no\nRateLimitBurst=0\n' >"$root/etc/systemd/journald.conf.d/machine.conf"
  cat >"$root/etc/systemd/system/command.service" <<'END'
[Unit]
After=basic.target tmp.mount
Wants=tmp.mount
[Service]
Type=oneshot
Environment=TERM=dumb SYSTEMD_PAGER= SYSTEMD_COLORS=0 LANG=C.UTF-8 HOME=/root
ExecStart=/bin/bash -c 'code=0; bash /mnt/.command >/mnt/.output 2>&1 </dev/null || code=$?; echo $code >/mnt/.code'
ExecStopPost=/bin/systemctl --no-block poweroff
END
  cd "$root"
  pivot_root . .old
  cd /
  mount -t hostfs share /mnt -o "$share"
  exec env -i TERM=dumb "PATH=$path" /lib/systemd/systemd --unit=command.service </dev/null
}

run() {
  local share console kernel_pid
  share=$(cd -- "$1" && pwd)
  shift
  [[ $(id -u) = 0 ]] || skip "must be root"
  [[ -x $kernel ]] || skip "no $kernel (package user-mode-linux)"
  command -v insmod >/dev/null || skip "no insmod (package kmod)"
  [[ -x /lib/systemd/systemd ]] || skip "no /lib/systemd/systemd"
  unshare --pid --fork true 2>/dev/null || skip "no right to make namespaces"
  rm -f "$share"/.output "$share"/.code
  printf '%q ' "$@" >"$share/.command"
  # The kernel's arguments are separated by spaces, so pid 1 is a file that has them.
  printf '#!/bin/bash\nexec %q __boot %q\n' "$(readlink -f -- "$0")" "$share" >"$share/.boot"
  chmod 755 "$share/.boot"
  console=$share/.console
  mkdir -p "$share/.uml"
  # All its processes are in a namespace that ends with this script.
  setpriv --pdeathsig KILL unshare --pid --fork --kill-child timeout --kill-after=5 "$timeout" \
    "$kernel" rootfstype=hostfs rootflags=/ ro "mem=$memory" quiet con=null con0=null,fd:1 "uml_dir=$share/.uml" "init=$share/.boot" \
    </dev/null >"$console" 2>&1 &
  kernel_pid=$!
  trap 'kill -KILL "$kernel_pid" 2>/dev/null || true' EXIT
  trap 'exit 130' INT TERM HUP
  wait "$kernel_pid" || true
  trap - EXIT
  [[ ! -f $share/.output ]] || cat "$share/.output"
  if [[ ! -f $share/.code ]]; then
    echo "user-mode machine: it has not come to its end; the last it said:" >&2
    tail -n 40 "$console" >&2
    exit 99
  fi
  exit "$(cat "$share/.code")"
}

case ${1-} in
  __boot) boot "$2" ;;
  "" | -*) sed -n '2,12p' "$0"; exit 2 ;;
  *) [[ $# -ge 2 ]] || { sed -n '2,12p' "$0"; exit 2; }; run "$@" ;;
esac
