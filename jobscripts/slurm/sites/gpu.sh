# Any cluster of GPUs, one rank a GPU. WAFERMARK_RANKS_PER_NODE: GPUs of a node (default 4).
# The program asks MPI whether it reads device memory; where it cannot say, set WAFERMARK_GPU_AWARE_MPI=1 before submitting.
ranks_per_node=${WAFERMARK_RANKS_PER_NODE:-4}
backends="Cuda HIP SYCL"
sbatch_options=(--gpus-per-node="$ranks_per_node")
# All GPUs of the node stay visible to each rank, which GPU-aware transfers inside a node need; Kokkos takes the one of
# the rank's number on its node.
launch=(srun --gpu-bind=none)
