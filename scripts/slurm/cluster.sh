#!/usr/bin/env bash
# A Slurm cluster of one node on this machine, for tests: `cluster.sh start DIR` and `cluster.sh stop DIR`.
#
# Needs slurmctld, slurmd and munged (Debian: slurm-wlm, munge) and to be run as root. Everything it
# makes (configuration, key, sockets, logs, state) is in DIR; the ports are free ones. Afterwards
# SLURM_CONF=DIR/slurm.conf makes sbatch, squeue, … talk to it. No accounting, no cgroups.
set -euo pipefail

usage() {
  echo "usage: cluster.sh start|stop DIR" >&2
  exit 2
}
[[ $# -eq 2 ]] || usage
action=$1
mkdir -p "$2"
dir=$(cd "$2" && pwd)

start_munge() {
  (umask 077 && head -c 1024 /dev/urandom >"$dir/munge.key")
  "$(sbin munged)" --force --num-threads=2 --key-file="$dir/munge.key" --socket="$dir/munge.socket" \
    --pid-file="$dir/munged.pid" --log-file="$dir/munged.log" --seed-file="$dir/munge.seed"
}

sbin() { PATH="$PATH:/usr/sbin:/sbin" command -v "$1"; }

# Two different ports that nobody listens on.
free_ports() {
  local port found=()
  for port in $(shuf -i 20000-32000 -n 50); do
    (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null || found+=("$port")
    [[ ${#found[@]} -eq 2 ]] && break
  done
  echo "${found[@]}"
}

write_configuration() {
  local host ctld_port slurmd_port
  host=$(hostname -s)
  read -r ctld_port slurmd_port < <(free_ports)
  mkdir -p "$dir/state" "$dir/spool"
  # A requeued job waits until its credentials of before have expired: by default two minutes.
  cat >"$dir/slurm.conf" <<EOF
ClusterName=implicit-rank-test
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$ctld_port
SlurmdPort=$slurmd_port
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
AuthType=auth/munge
AuthInfo=socket=$dir/munge.socket,cred_expire=6
CredType=cred/munge
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SwitchType=switch/none
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
JobCompType=jobcomp/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=1,sched_min_interval=100000
SlurmdParameters=config_overrides
ReturnToService=2
JobRequeue=1
KillWait=5
MinJobAge=300
MaxArraySize=1001
NodeName=$host NodeAddr=127.0.0.1 CPUs=4 RealMemory=1000 State=UNKNOWN
PartitionName=main Nodes=$host Default=YES MaxTime=INFINITE State=UP
EOF
}

wait_until_idle() {
  local deadline=$((SECONDS + 60))
  until [[ $(SLURM_CONF="$dir/slurm.conf" sinfo -h -o %T 2>/dev/null) == idle ]]; do
    if ((SECONDS > deadline)); then
      tail -n 20 "$dir/slurmctld.log" "$dir/slurmd.log" >&2
      echo "cluster.sh: the node did not become idle within 60 s" >&2
      return 1
    fi
    sleep 0.2
  done
}

start() {
  write_configuration
  start_munge
  "$(sbin slurmctld)" -f "$dir/slurm.conf" -c
  "$(sbin slurmd)" -f "$dir/slurm.conf" -N "$(hostname -s)"
  wait_until_idle || {
    stop
    exit 1
  }
}

# Ends a daemon by its pid file, and waits until it is gone.
end_daemon() {
  local pid
  pid=$(cat "$dir/$1.pid" 2>/dev/null) || return 0
  kill "$2" "$pid" 2>/dev/null || return 0
  for _ in $(seq 100); do
    [[ -e /proc/$pid ]] && ! grep -q '^State:.*Z' "/proc/$pid/status" 2>/dev/null || return 0
    sleep 0.1
  done
  kill -KILL "$pid" 2>/dev/null || true
}

stop() {
  SLURM_CONF="$dir/slurm.conf" timeout 10 scancel --full --signal=KILL --user="$(id -un)" 2>/dev/null || true
  end_daemon slurmd -TERM
  end_daemon slurmctld -TERM
  end_daemon munged -TERM
}

case $action in
  start) start ;;
  stop) stop ;;
  *) usage ;;
esac
