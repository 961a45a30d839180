# Perlmutter's GPU nodes (NERSC): 64 cores of two hardware threads and 4 A100 a node, one rank a GPU. Untried.
# Source: docs.nersc.gov, Perlmutter: running jobs (-C gpu, -c 32, --gpu-bind=none so that GPU-aware MPI reaches the node's
# other GPUs); MPICH_OFI_NIC_POLICY as in WarpX's scripts for this machine.
ranks_per_node=4
backends=Cuda
sbatch_options=(--constraint=gpu --qos=regular --cpus-per-task=32 --gpus-per-node=4)
launch=(srun --cpu-bind=cores --gpu-bind=none)
site_environment() {
  module load PrgEnv-gnu cudatoolkit craype-accel-nvidia80 cray-hdf5-parallel
  export MPICH_GPU_SUPPORT_ENABLED=1 MPICH_OFI_NIC_POLICY=GPU WAFERMARK_GPU_AWARE_MPI=1
}
