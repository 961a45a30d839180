// CPU levels: sets of x86-64 instructions, each with all that the one before it has. A portable build
// (cmake/PortableBuild.cmake) compiles the programs once for each of some levels, and a launcher in their
// place (tools/cpu_launcher) starts the best one that the CPU runs. Needs neither MPI nor Kokkos: the
// launcher is for the oldest CPU.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace wafermark {

/// The environment variable that chooses a level by name.
inline constexpr const char* cpu_level_variable = "WAFERMARK_CPU_LEVEL";

/// All levels by name, lowest first. What they are compiled with stands in cmake/CpuLevels.cmake.
///   x86-64-v3       AVX2 and FMA (Haswell, Zen and later)
///   x86-64-v4       and AVX-512 F, BW, CD, DQ, VL (Skylake-SP, Zen 4 and later)
///   x86-64-v4-vnni  and AVX-512 IFMA, VBMI, VBMI2, VNNI, BITALG, VPOPCNTDQ (Ice Lake, Zen 4 and later)
std::vector<std::string> cpu_levels();

/// Whether this CPU, under its operating system, runs programs of the level.
bool runs_cpu_level(std::string_view level);

/// The highest level that this CPU runs; empty where it runs none.
std::string highest_cpu_level();

/// The names of a list "a,b,c".
std::vector<std::string> names_in_list(std::string_view list);
/// And the list of them, as messages have it: "a, b, c".
std::string list_of(const std::vector<std::string>& names);

/// The level to start a program of: `wanted` unless that is empty, else the highest of `built` that `runs`
/// holds for. Throws InputError where `wanted` was not built or does not run, and where none runs.
std::string choose_cpu_level(const std::vector<std::string>& built, const std::string& wanted,
                             const std::function<bool(std::string_view)>& runs);

/// Where the program of a level lies that the launcher stands for: PREFIX/libexec/wafermark/LEVEL/NAME for
/// PREFIX/bin/NAME.
std::filesystem::path program_of_cpu_level(const std::filesystem::path& launcher, const std::string& level);
/// The launcher of a program of a level, where there is one; else the program itself.
std::filesystem::path launcher_of(const std::filesystem::path& program);

}  // namespace wafermark
