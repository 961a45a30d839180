# Alps, GH200 nodes of Daint (CSCS): 4 GH200 a node with 72 cores each, one rank a GPU. Untried.
# Source: CSCS documentation, docs/running/slurm.md (eth-cscs/cscs-docs): one rank a GPU by --ntasks-per-node=4 and
# --gpus-per-task=1, -c72 gives each rank the cores of its Grace, normal is the default partition. Software comes in uenvs: start
# yours with --uenv=... behind the site's name. MPICH_GPU_SUPPORT_ENABLED: Cray MPICH, as on the other machines with it.
ranks_per_node=4
backends=Cuda
sbatch_options=(--cpus-per-task=72 --gpus-per-node=4)
launch=(srun --cpu-bind=cores --gpus-per-task=1)
site_environment() {
  export MPICH_GPU_SUPPORT_ENABLED=1 WAFERMARK_GPU_AWARE_MPI=1
}
