// Files of which each line is a thing of its own.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace wafermark::llama {

/// Calls visit(line, its number from 1, "FILE: line N") with the lines of a text file, without their ends (a
/// line feed, or carriage return and line feed); those of nothing but white space are passed over. Throws
/// InputError when the file cannot be read or has no other line.
void each_line(
    const std::string& path,
    const std::function<void(std::string_view line, std::int64_t number, const std::string& where)>& visit);

/// The same with the JSON value of each line.
void each_json_line(const std::string& path,
                    const std::function<void(const nlohmann::json& value, std::int64_t number,
                                             const std::string& where)>& visit);

}  // namespace wafermark::llama
