# Any cluster with PBS (OpenPBS, PBS Pro), one rank a core. WAFERMARK_RANKS_PER_NODE: cores of a node (default: this machine's).
# Source: qsub(1B) of OpenPBS; mpiexec of MPICH and PALS (-n, --ppn). Other MPIs: set launch_options, or launch below.
scheduler=pbs
ranks_per_node=${WAFERMARK_RANKS_PER_NODE:-$(getconf _NPROCESSORS_ONLN)}
