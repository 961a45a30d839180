# LUMI-G (CSC): 4 MI250X a node = 8 GPUs as programs see them, one rank each. Untried.
# Source: LUMI user guide, docs/runjobs/scheduled-jobs/lumig-job.md: 63 cores usable; the masks give the rank of number k
# on its node six cores beside GPU k, which is the one that Kokkos takes.
ranks_per_node=8
backends=HIP
sbatch_options=(--partition=standard-g --gpus-per-node=8 --mem=0)
lumi_cores=7e000000000000,7e00000000000000,7e0000,7e000000,7e,7e00,7e00000000,7e0000000000
launch=(srun --cpu-bind=mask_cpu:$lumi_cores)
site_environment() {
  module load LUMI partition/G PrgEnv-amd craype-accel-amd-gfx90a rocm cray-hdf5-parallel
  export MPICH_GPU_SUPPORT_ENABLED=1 WAFERMARK_GPU_AWARE_MPI=1
}
