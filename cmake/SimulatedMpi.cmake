# MPI::MPI_CXX as SimGrid's SMPI has it: smpirun loads a program once for each rank, so programs are shared objects. The
# wrapper smpicxx is not used: its macros break Kokkos and CLI11.
find_path(WAFERMARK_SIMGRID_INCLUDE_DIR smpi/smpi.h REQUIRED)
find_library(WAFERMARK_SIMGRID simgrid REQUIRED)
find_program(WAFERMARK_SMPIRUN smpirun REQUIRED)
add_library(MPI::MPI_CXX INTERFACE IMPORTED)
target_include_directories(MPI::MPI_CXX SYSTEM INTERFACE
  ${WAFERMARK_SIMGRID_INCLUDE_DIR} ${WAFERMARK_SIMGRID_INCLUDE_DIR}/smpi)
target_link_libraries(MPI::MPI_CXX INTERFACE ${WAFERMARK_SIMGRID})
target_compile_options(MPI::MPI_CXX INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-fPIC>)
# Programs that run beside the simulation, not in it, set WAFERMARK_OUTSIDE_SIMULATION.
target_link_options(MPI::MPI_CXX INTERFACE
  $<$<AND:$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>,$<NOT:$<BOOL:$<TARGET_PROPERTY:WAFERMARK_OUTSIDE_SIMULATION>>>>:-shared;-Wl,-z,defs>)
set(MPIEXEC_EXECUTABLE ${WAFERMARK_SMPIRUN})
set(MPIEXEC_NUMPROC_FLAG -np)
