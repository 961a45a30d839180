# LUMI-C (CSC): 2 x 64 cores a node, one rank a core. Untried.
# Source: LUMI user guide, docs/runjobs/scheduled-jobs/lumic-job.md (partition standard, whole nodes, --mem=0).
ranks_per_node=128
sbatch_options=(--partition=standard --cpus-per-task=1 --hint=nomultithread --mem=0)
launch=(srun --cpu-bind=cores)
