#!/usr/bin/env bash
# The batch script of every job, on every site: one run of tungsten_md or sparse_llama. When the time limit cuts the run, it
# has written a checkpoint, and the job goes back into the queue to go on from there. Usually submitted by submit.sh:
#   sbatch [options] job.sh SITE_FILE COMMAND... --out DIR      a run
#   sbatch --array=0-9 job.sh SITE_FILE --cases FILE            many of the same size: line SLURM_ARRAY_TASK_ID of FILE
#   flux batch | qsub -- job.sh SITE_FILE --ranks N COMMAND... --out DIR
# A folder that holds the result.json of a complete run is left as it is.
#
# Two minutes before the limit (Slurm may be a minute early) all ranks, not this script, get SIGTERM.
#SBATCH --signal=TERM@120
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --exclusive
#SBATCH --time=30

fail() { echo "job.sh: $1" >&2; exit "${2:-1}"; }

site=${1:?usage: job.sh SITE_FILE COMMAND... (see submit.sh)}
shift
# What a site may set; sites/cpu.sh says what each of them is.
scheduler=slurm launch=(srun) launch_options=() threads_per_rank=1 ranks=${SLURM_NTASKS:-1}
if [ "${1:-}" = --ranks ]; then ranks=$2; shift 2; fi
site_environment() { :; }
. "$site" || fail "$site: cannot be read, expected a file of settings" 2
site_environment
per_node=$((ranks < ranks_per_node ? ranks : ranks_per_node))
case $scheduler in
  # A step without a limit of its own has the job's, and its ranks the signal two minutes before. Flux refuses a limit of what is
  # left now: it is more than what is left when the step is queued.
  flux) launch=(flux run --nodes=$(((ranks + ranks_per_node - 1) / ranks_per_node)) --ntasks="$ranks" --exclusive
      --signal=TERM@120s "${launch_options[@]}") ;;
  pbs) cd "${PBS_O_WORKDIR:?}" && launch=(mpiexec -n "$ranks" --ppn $per_node "${launch_options[@]}") ;;
esac

if [ "${1:-}" = --cases ]; then
  line=$(sed -n "$((SLURM_ARRAY_TASK_ID + 1))p" "$2")
  [ -n "$line" ] || fail "$2: found no line $((SLURM_ARRAY_TASK_ID + 1)), expected one for each task of the array" 2
  # Quoted as for a shell by sweep.py; xargs takes the quotes off and, unlike a shell, expands and runs nothing.
  mapfile -d '' -t words < <(printf '%s\n' "$line" | xargs printf '%s\0') && wait $! || fail "$2: found a line that is not quoted well" 2
  set -- "${words[@]}"
fi
for word in "$@"; do
  [[ $word != *[[:cntrl:]]* ]] || fail "$(printf '%q' "$word"): found a control character, expected words of one line" 2
done
command=("$@") out=
for ((k = 1; k < $#; k++)); do
  case ${command[k]} in
    --out) out=${command[k + 1]:-} ;;
    --out=*) out=${command[k]#--out=} ;;
  esac
done
[ -n "$out" ] || fail "${command[*]}: found no --out DIR, expected one" 2
complete() { [ -e "$out/result.json" ] && ! grep -q '"status": *"incomplete"' "$out/result.json"; }
if complete; then
  echo "job.sh: $out has a result already"
  exit 0
fi

# What the two apps write at the signal, and how they are told to go on from it.
case "${command[0]##*/} ${command[1]:-}" in
  "tungsten_md run") checkpoint=$out/checkpoint.h5 command+=(--restart auto) ;;
  "sparse_llama train" | "sparse_llama recover") checkpoint=$out/state.h5 command+=(--restart) ;;
  "sparse_llama prune") checkpoint=$out/pruning.json command+=(--restart) ;;
  *) checkpoint= ;;
esac
written() { stat -c %y -- "$checkpoint" 2>/dev/null; }

export OMP_NUM_THREADS=$threads_per_rank
if [ "$threads_per_rank" -gt 1 ]; then export OMP_PROC_BIND=close OMP_PLACES=cores; else export OMP_PROC_BIND=false; fi
# Since Slurm 22.05 a step does not take over the job's cores per task.
[ -z "${SLURM_CPUS_PER_TASK:-}" ] || export SRUN_CPUS_PER_TASK=$SLURM_CPUS_PER_TASK

# A rank that dies without a word (a fault of a node, no memory) would leave the others to wait until the time limit.
export SLURM_KILL_BAD_EXIT=1

# What else the first node does, for the run rules. Slurm and Flux run a copy of this script: submit.sh says where the others are.
load=${WAFERMARK_JOBSCRIPTS:-$(dirname "${BASH_SOURCE[0]}")/..}/node_load.sh
if [ "${command[1]:-}" = run ] && [ -x "$load" ]; then mkdir -p -- "$out" && "$load" "$out/load.json" || true; fi

before=$(written)
echo "job.sh: $(date -u +%FT%TZ), job ${SLURM_JOB_ID:-${FLUX_ENCLOSING_ID:-${PBS_JOBID:-none}}}, start $((${SLURM_RESTART_COUNT:-0} + 1)), on ${SLURM_JOB_NODELIST:-$(hostname)}"
echo "job.sh:$(printf ' %q' "${launch[@]}" "${command[@]}")"
"${launch[@]}" "${command[@]}"
status=$?
[ $status -eq 0 ] || exit $status
! complete || exit 0

# Cut: it ended well and without the result of a complete run.
[ -n "$checkpoint" ] || fail "${command[*]}: was cut and cannot go on: give it more time"
[ "$(written)" != "$before" ] || fail "$out: found no new checkpoint, expected one in each stretch: not queued again"
[ -n "${SLURM_JOB_ID:-}" ] || fail "$out: was cut; the same command goes on"
echo "job.sh: cut; queued again to go on from $checkpoint"
scontrol requeue "$SLURM_JOB_ID" || fail "$out: cannot be queued again here; the same submission goes on"
sleep 60  # Slurm ends this script
