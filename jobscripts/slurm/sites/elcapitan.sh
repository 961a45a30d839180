# El Capitan, Tuolumne (LLNL): 4 MI300A a node with 24 cores each, one rank an APU. Flux. Untried.
# Source: WarpX's scripts for Tuolumne (Tools/machines/tuolumne-llnl: 4 tasks a node, queue pbatch, exclusive, 21 cores of a
# socket for programs, MPICH_GPU_SUPPORT_ENABLED, rocm module), flux-batch(1) and flux-run(1). A bank: --bank=NAME.
scheduler=flux
ranks_per_node=4
backends=HIP
threads_per_rank=1
submit_options=(--queue=pbatch)
launch_options=(--cores-per-task=21 --gpus-per-task=1)
site_environment() {
  module load rocm
  export MPICH_GPU_SUPPORT_ENABLED=1 MPICH_OFI_NIC_POLICY=GPU WAFERMARK_GPU_AWARE_MPI=1
}
