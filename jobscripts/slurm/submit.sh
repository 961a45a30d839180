#!/usr/bin/env bash
# Submits a run to a site's scheduler: Slurm, Flux or PBS, as its file says.
#   submit.sh SITE --ranks N [options of the scheduler] -- COMMAND... --out DIR
#   submit.sh frontier --ranks 64 --account=ABC123 --time=30 -- tungsten_md run deck.toml --out results/strong_64
#   submit.sh elcapitan --ranks=64 --dry-run -- tungsten_md run deck.toml --out results/strong_64
# SITE: a name in sites/, or the path of such a file. --dry-run only prints the scheduler's line; no scheduler has to be there.
# Options after the site's own win, so that every one of them can be changed on the command line.
set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)

fail() { echo "submit.sh: $1" >&2; exit 2; }
usage() { sed -n '2,7s/^# \{0,1\}//p' "$0"; }

[ $# -gt 0 ] || { usage; exit 2; }
case $1 in -h | --help) usage; exit 0 ;; esac
site=$1
shift
[ -e "$site" ] || site=$here/sites/$site.sh
[ -f "$site" ] || fail "$site: not found, expected a file or one of: $(cd "$here/sites" && echo *.sh | sed 's/\.sh//g')"
site=$(readlink -f "$site")

ranks= dry_run=no options=() before=
while [ $# -gt 0 ] && [ "$1" != -- ]; do
  case $1 in
    --ranks) ranks=${2:-}; [ $# -lt 2 ] || shift ;;
    --ranks=*) ranks=${1#--ranks=} ;;
    --dry-run) dry_run=yes ;;
    --rank* | --nranks* | --dry*) fail "$1: unknown option, expected --ranks N or --dry-run" ;;
    -*) options+=("$1") ;;
    # A word without a dash is the value of the option before it, or a slip of the pen.
    *) case $before in -*=* | --dry-run | "") fail "$1: expected an option of the scheduler, or -- before the command" ;; esac
      options+=("$1") ;;
  esac
  before=$1
  shift
done
[[ $ranks =~ ^[1-9][0-9]{0,7}$ ]] || fail "--ranks '$ranks': expected a number of MPI ranks"
for word in "$@" "${options[@]}"; do
  [[ $word != *[[:cntrl:]]* ]] || fail "$(printf '%q' "$word"): found a control character, expected words of one line"
done
[ $# -gt 1 ] || fail "found no command, expected '-- tungsten_md run ...' or '-- sparse_llama run ...'"
shift
case " $* " in
  *" --out "* | *" --out="* | " --cases "*) ;;
  *) fail "$*: found no --out DIR, expected one" ;;
esac

scheduler=slurm sbatch_options=() submit_options=()
. "$site"
per_node=$((ranks < ranks_per_node ? ranks : ranks_per_node))
nodes=$(((ranks + ranks_per_node - 1) / ranks_per_node))
# Flux and PBS tell a job nothing of ranks: job.sh gets their number as a word.
case $scheduler in
  slurm)
    submission=(sbatch --nodes=$nodes --ntasks="$ranks" --ntasks-per-node=$per_node "${sbatch_options[@]}" "${options[@]}"
      "$here/job.sh" "$site" "$@") ;;
  flux)
    submission=(flux batch --nodes=$nodes --exclusive --time-limit=30m "${submit_options[@]}" "${options[@]}"
      "$here/job.sh" "$site" --ranks "$ranks" "$@") ;;
  pbs)
    submission=(qsub -l select=$nodes -l place=scatter:excl -l walltime=00:30:00 "${submit_options[@]}" "${options[@]}"
      -- "$here/job.sh" "$site" --ranks "$ranks" "$@") ;;
  *) fail "$site: found scheduler $scheduler, expected slurm, flux or pbs" ;;
esac
if [ $dry_run = yes ]; then
  printf '%q ' "${submission[@]}"
  echo
  exit 0
fi
command -v "${submission[0]}" >/dev/null || fail "${submission[0]}: not found, expected the site's $scheduler (--dry-run prints the line)"
export WAFERMARK_JOBSCRIPTS=${here%/*}
exec "${submission[@]}"
