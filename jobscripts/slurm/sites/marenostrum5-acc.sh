# MareNostrum 5, accelerated (BSC): 80 cores and 4 H100 a node, one rank a GPU. Untried.
# Source: overviews of BSC's user guide in public repositories: 20 cores are asked for with each GPU; --account and --qos
# are wanted (here EuroHPC's; others: bsc_queues). Modules: none named, since nobody has built there: load those of your
# build before submitting. GPU-aware MPI only if your MPI has it: WAFERMARK_GPU_AWARE_MPI=1.
ranks_per_node=4
backends=Cuda
sbatch_options=(--qos=acc_ehpc --gres=gpu:4 --cpus-per-task=20)
launch=(srun --cpu-bind=cores --gpu-bind=none)
