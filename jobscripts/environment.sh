# What the scripts of this folder share; sourced.

source_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# One thread per MPI rank, more ranks than cores allowed, root allowed (containers). Open MPI 4 reads OMPI_*,
# Open MPI 5 PRTE_*; other MPIs ignore both. What the caller has set stays.
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}" OMP_PROC_BIND="${OMP_PROC_BIND:-false}"
export OMPI_MCA_rmaps_base_oversubscribe=1 PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe
if [ "$(id -u)" -eq 0 ]; then
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
  export PRTE_ALLOW_RUN_AS_ROOT=1 PRTE_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi

# python_with numpy h5py ...: prints the first interpreter that imports all of them; fails when there is none.
python_with() {
  local python modules
  modules=$(IFS=,; echo "$*")
  for python in ${WAFERMARK_PYTHON:-} python3 /usr/bin/python3; do
    # What lies in the folder of the caller is not a module (Python 3.11; older ones would take it).
    if PYTHONSAFEPATH=1 "$python" -c "import $modules" >/dev/null 2>&1; then echo "$python"; return 0; fi
  done
  echo "found no Python with $modules (set WAFERMARK_PYTHON to one that has them)" >&2
  return 1
}

# How many cores there are for builds and tests. nproc by itself answers OMP_NUM_THREADS, which is 1 here.
cores() { env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc; }

# build PRESET [target...]: configures and builds in build/PRESET. A new folder takes several files of a target at
# once, faster from scratch; one that was configured by hand (better for editing) stays as it is.
build() {
  local preset=$1 unity=() log
  shift
  log=$(mktemp -t wafermark-configure-XXXXXX.log)
  echo "== build ($preset)"
  [ -e "$source_dir/build/$preset/CMakeCache.txt" ] || unity=(-DCMAKE_UNITY_BUILD=ON)
  (cd "$source_dir" && cmake --preset "$preset" "${unity[@]}" -Wno-dev >"$log" 2>&1) ||
    { cat "$log" >&2; rm -f "$log"; return 1; }
  rm -f "$log"
  cmake --build "$source_dir/build/$preset" --parallel "$(cores)" ${1:+--target "$@"}
}
