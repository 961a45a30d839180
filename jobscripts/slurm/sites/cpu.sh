# Any cluster of CPUs, and what a site file holds: settings, sourced by submit.sh and by job.sh.
#   ranks_per_node     MPI ranks of a full node
#   backends           back ends of Kokkos that a build for this site may have (default "OpenMP Threads Serial"); sweep.py
#                      refuses other builds
#   threads_per_rank   OpenMP threads of a rank (default 1)
#   sbatch_options     what the site's sbatch wants; the command line of submit.sh comes later and wins
#   launch             how a step is started (default srun), with placement and binding
#   site_environment   modules and variables, in the job only
# WAFERMARK_RANKS_PER_NODE: cores of a node; default: those of the largest node that sinfo knows.
ranks_per_node=${WAFERMARK_RANKS_PER_NODE:-$(sinfo --noheader --format=%c | tr -d + | sort -n | tail -n 1)}
sbatch_options=(--cpus-per-task=1)
launch=(srun --cpu-bind=cores --distribution=block:block)
