// JSON from files that nobody vouches for.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace wafermark::llama {

/// The value that `text` is. Throws InputError "FILE: found ..., expected ..." when it is no JSON, names a
/// key of an object twice, or nests deeper than any file that we read (recursion over it would end the
/// stack).
nlohmann::json parse_json(std::string_view text, const std::string& file);

/// What stands under `key`, or null: also where `value` is no object.
nlohmann::json member(const nlohmann::json& value, const char* key);

/// The object in a file, or an empty one where there is no such file. Throws InputError as parse_json, and
/// for JSON that is no object.
nlohmann::json read_object_if_there(const std::string& path);

/// A value in one line of an error message, cut when it is long.
std::string shown(const nlohmann::json& value);

}  // namespace wafermark::llama
