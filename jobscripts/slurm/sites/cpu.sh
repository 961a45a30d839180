# Any cluster of CPUs, and what a site file holds: settings, sourced by submit.sh and by job.sh.
#   ranks_per_node     MPI ranks of a full node
#   backends           back ends of Kokkos that a build for this site may have (default "OpenMP Threads Serial"); sweep.py
#                      refuses other builds
#   threads_per_rank   OpenMP threads of a rank (default 1)
#   sbatch_options     what the site's sbatch wants; the command line of submit.sh comes later and wins
#   launch             how a step is started (default srun), with placement and binding
#   site_environment   modules and variables, in the job only
#   scheduler          slurm (default), flux or pbs; the latter two take submit_options for sbatch_options, and launch_options,
#                      which are added to `flux run` or `mpiexec`, for launch
# WAFERMARK_RANKS_PER_NODE: cores of a node; default: those of the largest node that sinfo knows, without a Slurm this machine's.
ranks_per_node=${WAFERMARK_RANKS_PER_NODE:-$(sinfo --noheader --format=%c 2>/dev/null | tr -d + | sort -n | tail -n 1 || true)}
ranks_per_node=${ranks_per_node:-$(getconf _NPROCESSORS_ONLN)}
sbatch_options=(--cpus-per-task=1)
launch=(srun --cpu-bind=cores --distribution=block:block)
