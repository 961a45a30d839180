#include "common/cpu_levels.hpp"

#include <algorithm>

#include "common/errors.hpp"
#include "common/printable.hpp"
#include "common/x86_questions.hpp"

namespace wafermark {
namespace {

struct Level {
  const char* name;
  bool (*runs)();
};

#if defined(WAFERMARK_X86_QUESTIONS)
// Asked of the CPU and of the operating system, which must save the registers.
bool runs_v3() {
#if !defined(__clang__)  // clang 14 does not know it; no CPU has these four and not the rest
  if (!__builtin_cpu_supports("x86-64-v3")) return false;
#endif
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
         __builtin_cpu_supports("bmi2");
}
bool runs_v4() {
  return runs_v3() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vl");
}
bool runs_v4_vnni() {
  return runs_v4() && __builtin_cpu_supports("avx512ifma") && __builtin_cpu_supports("avx512vbmi") &&
         __builtin_cpu_supports("avx512vbmi2") && __builtin_cpu_supports("avx512vnni") &&
         __builtin_cpu_supports("avx512bitalg") && __builtin_cpu_supports("avx512vpopcntdq");
}
#else
bool runs_v3() { return false; }
bool runs_v4() { return false; }
bool runs_v4_vnni() { return false; }
#endif

constexpr Level levels[] = {{"x86-64-v3", runs_v3}, {"x86-64-v4", runs_v4}, {"x86-64-v4-vnni", runs_v4_vnni}};
constexpr const char* levels_folder = "libexec/wafermark";

bool among(const std::string& name, const std::vector<std::string>& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

std::vector<std::string> cpu_levels() {
  std::vector<std::string> names;
  for (const Level& level : levels) names.emplace_back(level.name);
  return names;
}

bool runs_cpu_level(std::string_view name) {
#if defined(WAFERMARK_X86_QUESTIONS)
  __builtin_cpu_init();
#endif
  return std::any_of(std::begin(levels), std::end(levels),
                     [&](const Level& level) { return level.name == name && level.runs(); });
}

std::string highest_cpu_level() {
  std::string highest;
  for (const Level& level : levels)
    if (runs_cpu_level(level.name)) highest = level.name;
  return highest;
}

std::vector<std::string> names_in_list(std::string_view list) {
  std::vector<std::string> names;
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(','), list.size());
    names.emplace_back(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return names;
}

std::string list_of(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
  return list;
}

std::string choose_cpu_level(const std::vector<std::string>& built, const std::string& wanted,
                             const std::function<bool(std::string_view)>& runs) {
  std::vector<std::string> running;
  for (const std::string& level : cpu_levels())
    if (among(level, built) && runs(level)) running.push_back(level);
  if (running.empty())
    throw InputError(
        "this CPU runs none of the levels that the program was built for, expected one that runs " +
        list_of(built));
  if (wanted.empty()) return running.back();
  const std::string found = std::string(cpu_level_variable) + ": found '" + excerpt(wanted) + "', ";
  if (!among(wanted, built)) throw InputError(found + "expected a level that was built: " + list_of(built));
  if (!among(wanted, running))
    throw InputError(found + "which this CPU does not run, expected " +
                     (running.size() > 1 ? "one of " : "") + list_of(running));
  return wanted;
}

std::filesystem::path program_of_cpu_level(const std::filesystem::path& launcher, const std::string& level) {
  return launcher.parent_path().parent_path() / levels_folder / level / launcher.filename();
}

std::filesystem::path launcher_of(const std::filesystem::path& program) {
  std::filesystem::path prefix = program;
  for (int k = 0; k < 4; ++k) prefix = prefix.parent_path();
  const auto launcher = prefix / "bin" / program.filename();
  const std::string level = program.parent_path().filename();
  std::error_code none;
  return among(level, cpu_levels()) && program_of_cpu_level(launcher, level) == program &&
                 std::filesystem::exists(launcher, none)
             ? launcher
             : program;
}

}  // namespace wafermark
