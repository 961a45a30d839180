"""Wafermark for Spack: builds the checkout that this file lies in.

  spack repo add jobscripts/spack_repo/wafermark
  spack install wafermark +report                          CPUs
  spack install wafermark +cuda cuda_arch=90               NVIDIA
  spack install wafermark +rocm amdgpu_target=gfx90a       AMD
"""
from pathlib import Path

from spack_repo.builtin.build_systems.cmake import CMakePackage, generator
from spack_repo.builtin.build_systems.cuda import CudaPackage
from spack_repo.builtin.build_systems.rocm import ROCmPackage

from spack.package import *


class Wafermark(CMakePackage, CudaPackage, ROCmPackage):
    """Mini-apps for clusters and an emulated wafer-scale machine: molecular dynamics of radiation damage, sparse Llama."""

    git = "file://" + str(Path(__file__).resolve().parents[5])

    license("Apache-2.0")
    generator("ninja")

    version("main", branch="main")

    variant("openmp", default=True, description="Threads of a rank on CPUs")
    variant("report", default=False, description="What wafermark-report needs")
    variant("tests", default=False, description="Unit tests and benchmarks")

    depends_on("c", type="build")
    depends_on("cxx", type="build")
    depends_on("cmake@3.22:", type="build")
    depends_on("mpi")
    depends_on("kokkos@4.5:5 cxxstd=20")
    depends_on("kokkos +openmp", when="+openmp")
    depends_on("kokkos +serial", when="~openmp")
    depends_on("hdf5@1.10: +mpi +hl")
    depends_on("cli11")
    depends_on("tomlplusplus")
    depends_on("nlohmann-json@3.9:")
    depends_on("fmt@9:")
    depends_on("random123")
    depends_on("openssl")
    depends_on("openblas")
    depends_on("sentencepiece")
    depends_on("pcre2")
    depends_on("zlib-api")
    depends_on("libarchive")
    depends_on("googletest@1.12: +gmock", type="build", when="+tests")
    depends_on("benchmark", type="build", when="+tests")

    with when("+report"):
        depends_on("python@3.11:", type="run")
        for _module in ("numpy", "matplotlib", "jinja2", "h5py", "jsonschema", "openpyxl"):
            depends_on(f"py-{_module}", type="run")

    # Kokkos takes one architecture. Without the wrapper it asks for clang or for CMake's CUDA language, which the sources have not.
    # Its version 4 is built without lambdas for devices where nobody asks for them; version 5 always has them.
    conflicts("+cuda", when="+rocm")
    conflicts("+cuda", when="cuda_arch=none")
    conflicts("+rocm", when="amdgpu_target=none")
    for _arch in CudaPackage.cuda_arch_values:
        depends_on(f"kokkos +cuda +wrapper ~cmake_lang cuda_arch={_arch}", when=f"+cuda cuda_arch={_arch}")
    depends_on("kokkos +cuda_lambda", when="+cuda ^kokkos@4")
    depends_on("cuda", when="+cuda")  # with cuBLAS
    depends_on("rocblas", when="+rocm")
    for _target in ROCmPackage.amdgpu_targets:
        depends_on(f"kokkos +rocm ~cmake_lang amdgpu_target={_target}", when=f"+rocm amdgpu_target={_target}")

    def cmake_args(self):
        backend = "CUDA" if self.spec.satisfies("+cuda") else "HIP" if self.spec.satisfies("+rocm") else ""
        arguments = [
            self.define_from_variant("WAFERMARK_TESTS", "tests"),
            self.define_from_variant("WAFERMARK_BENCHMARKS", "tests"),
            self.define("WAFERMARK_BACKEND", backend),
            self.define("WAFERMARK_CPU", ""),  # Spack's compilers build for the spec's target
            self.define("CMAKE_UNITY_BUILD", True),
        ]
        if backend == "CUDA":
            arguments.append(self.define("CMAKE_CXX_COMPILER", self["kokkos"].kokkos_cxx))
        if backend == "HIP":
            arguments.append(self.define("CMAKE_CXX_COMPILER", self.spec["hip"].hipcc))
        return arguments
