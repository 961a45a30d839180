# Perlmutter's CPU nodes (NERSC): 2 x 64 cores of two hardware threads, one rank a core. Untried.
# Source: docs.nersc.gov, Perlmutter: running jobs (-C cpu; -c counts hardware threads; cores bound).
ranks_per_node=128
sbatch_options=(--constraint=cpu --qos=regular --cpus-per-task=2)
launch=(srun --cpu-bind=cores)
