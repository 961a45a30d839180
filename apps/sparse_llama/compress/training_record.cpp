#include "sparse_llama/compress/training_record.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <vector>

#include "common/errors.hpp"
#include "sparse_llama/model/configuration_file.hpp"
#include "sparse_llama/model/json_text.hpp"

namespace wafermark::llama {

using nlohmann::json;

std::string TrainingRecord::text() const { return json{{"settings", settings}, {"history", history}}.dump(); }

TrainingRecord TrainingRecord::read(const std::string& text, const std::string& file) {
  const json record = text.empty() ? json() : parse_json(text, file);
  TrainingRecord r{member(record, "settings"), member(record, "history")};
  if (!r.settings.is_object() || !r.history.is_array())
    throw InputError(
        fmt::format("{}: found a model that no training run has written (pruned, or of an older "
                    "version), expected a checkpoint to go on with",
                    file));
  return r;
}

json settings_to_keep(const Configuration& c, const TrainingSettings& s) {
  return {{"model", json_of(c)},
          {"training.warmup_steps", s.warmup_steps},
          {"training.batch_sequences", s.batch},
          {"training.sequence_tokens", s.length},
          {"training.learning_rate", s.learning_rate},
          {"training.final_rate", s.final_rate},
          {"training.beta1", s.beta1},
          {"training.beta2", s.beta2},
          {"training.epsilon", s.epsilon},
          {"training.weight_decay", s.weight_decay},
          {"training.gradient_clip", s.gradient_clip},
          {"training.seed", s.seed},
          {"training.token_loss", s.loss.token},
          {"training.logit_distillation", s.loss.logit},
          {"training.feature_distillation", s.loss.feature}};
}

template <class T>
std::string checksum(const std::vector<T>& values) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  const auto* bytes = reinterpret_cast<const unsigned char*>(values.data());
  for (std::size_t i = 0; i < values.size() * sizeof(T); ++i) hash = (hash ^ bytes[i]) * 0x100000001b3u;
  return fmt::format("{:016x}", hash);
}
template std::string checksum(const std::vector<std::int32_t>&);
template std::string checksum(const std::vector<float>&);

void expect_same_run(const json& stored, const json& now, const std::string& file) {
  const auto differ = [&](const std::string& key, const json& was, const json& is) {
    if (was == is) return;
    throw InputError(
        fmt::format("{}: {} = {} in the checkpoint, found {}: expected the same to go on with it", file, key,
                    shown(was), shown(is)));
  };
  for (const auto& [key, value] : now.items()) {
    const json was = member(stored, key.c_str());
    if (key != "model" || !was.is_object()) {
      differ(key, was, value);
      continue;
    }
    for (const auto& [name, part] : value.items()) differ("model " + name, member(was, name.c_str()), part);
  }
  for (const auto& [key, value] : stored.items()) differ(key, value, now.contains(key) ? now[key] : json());
}

}  // namespace wafermark::llama
