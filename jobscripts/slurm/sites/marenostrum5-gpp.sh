# MareNostrum 5, general purpose (BSC): 2 x 56 cores a node, one rank a core. Untried.
# Source: overviews of BSC's user guide in public repositories: --account and --qos are wanted (here EuroHPC's; others:
# bsc_queues), no --mem.
ranks_per_node=112
sbatch_options=(--qos=gp_ehpc --cpus-per-task=1)
launch=(srun --cpu-bind=cores)
