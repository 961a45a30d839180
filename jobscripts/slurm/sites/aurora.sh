# Aurora (ALCF): 6 PVC a node = 12 tiles, one rank a tile. PBS. Untried; the programs need a Kokkos with SYCL.
# Source: ALCF user guide, docs/aurora/applications-and-libraries/applications/lammps.md (argonne-lcf/user-guides): 12 ranks a
# node, that list of cores, gpu_tile_compact.sh shows each rank its tile, filesystems=home:flare. A project: -A NAME; -q debug.
scheduler=pbs
ranks_per_node=12
backends=SYCL
submit_options=(-l filesystems=home:flare -q prod)
launch_options=(--cpu-bind list:1:2:3:4:5:6:53:54:55:56:57:58 gpu_tile_compact.sh)
site_environment() {
  export MPICH_GPU_SUPPORT_ENABLED=1 WAFERMARK_GPU_AWARE_MPI=1
}
