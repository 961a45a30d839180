# JUPITER Booster (JSC): 4 GH200 a node with 72 cores each, one rank a GPU. Untried.
# Source: JSC's pages on JUPITER's batch system (apps.fz-juelich.de/jsc/hps/jupiter: Slurm with node processes by psslurm, as on
# JUWELS); partition, gres and CUDA_VISIBLE_DEVICES follow juwels-booster.sh. Modules: none named, since nobody has built there:
# load those of your build before submitting. GPU-aware MPI only if your MPI has it: WAFERMARK_GPU_AWARE_MPI=1.
ranks_per_node=4
backends=Cuda
sbatch_options=(--partition=booster --gres=gpu:4 --cpus-per-task=72)
launch=(srun --cpu-bind=cores)
site_environment() {
  export CUDA_VISIBLE_DEVICES=0,1,2,3  # psslurm would show each rank one GPU only
}
