# Frontier (OLCF): 4 MI250X a node = 8 GPUs as programs see them, one rank each. Untried.
# Source: OLCF user documentation, systems/frontier_user_guide.rst of July 2026: low-noise mode (one core of each L3
# region kept for the system, 56 left), -c 7 with --gpus-per-task=1 --gpu-bind=closest, modules for GPU-aware MPI.
ranks_per_node=8
backends=HIP
sbatch_options=(--partition=batch --cpus-per-task=7 --threads-per-core=1 --gpus-per-node=8)
launch=(srun --gpus-per-task=1 --gpu-bind=closest)
site_environment() {
  module load PrgEnv-amd craype-accel-amd-gfx90a rocm cray-hdf5-parallel
  export MPICH_GPU_SUPPORT_ENABLED=1 WAFERMARK_GPU_AWARE_MPI=1
}
