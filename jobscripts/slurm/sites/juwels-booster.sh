# JUWELS Booster (JSC): 2 x 24 cores and 4 A100 a node, one rank a GPU. Untried.
# Source: public job scripts for this machine (partition booster, gres gpu:4, 12 cores a GPU; Stages/2025 with
# MPI-settings/CUDA makes OpenMPI GPU-aware), and JSC's pages on its batch system (node processes by psslurm).
ranks_per_node=4
backends=Cuda
sbatch_options=(--partition=booster --gres=gpu:4 --cpus-per-task=12 --hint=nomultithread)
launch=(srun --cpu-bind=cores)
site_environment() {
  module load Stages/2025 GCC OpenMPI CUDA MPI-settings/CUDA HDF5
  export CUDA_VISIBLE_DEVICES=0,1,2,3 WAFERMARK_GPU_AWARE_MPI=1  # psslurm would show each rank one GPU only
}
