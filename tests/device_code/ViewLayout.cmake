# Host and device agree on a struct of views, with the Kokkos and the nvcc of this build; where mdspan leaves out empty members they do not.
if(NOT WAFERMARK_NVCC OR (NOT kokkos_cuda_headers AND NOT Kokkos_ENABLE_CUDA))
  return()
endif()
find_path(KOKKOS_CONFIG_INCLUDE_DIR KokkosCore_config.h PATH_SUFFIXES kokkos REQUIRED
          HINTS ${Kokkos_DIR}/../../../include ${Kokkos_DIR}/../../../../include)
set(view_layout ${CMAKE_CURRENT_SOURCE_DIR}/view_layout.sh ${WAFERMARK_NVCC} -arch=sm_90)
foreach(folder ${kokkos_cuda_headers} ${KOKKOS_CONFIG_INCLUDE_DIR})
  list(APPEND view_layout -I${folder})
endforeach()
add_test(NAME cuda_view_layout COMMAND ${view_layout})
add_test(NAME cuda_refuses_view_layout
  COMMAND ${view_layout} -DMDSPAN_IMPL_USE_ATTRIBUTE_NO_UNIQUE_ADDRESS=1 "-DMDSPAN_IMPL_NO_UNIQUE_ADDRESS=[[no_unique_address]]")
set_tests_properties(cuda_refuses_view_layout PROPERTIES PASS_REGULAR_EXPRESSION "112 bytes on the host, 104 on the device")
set_tests_properties(cuda_view_layout cuda_refuses_view_layout PROPERTIES LABELS cuda)
