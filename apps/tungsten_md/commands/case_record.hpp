// What a run is, so that it can be told whether another one goes on with it.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "common/errors.hpp"
#include "tungsten_md/model/case.hpp"

namespace wafermark::tungsten {

/// A checkpoint or a result of another case than the deck's.
class OtherCase : public InputError {
  using InputError::InputError;
};

/// Every setting of a case that must stay the same while the run goes on, by its key in the deck and with the
/// value that counts, defaults included; the target; and digests of what its files hold, which may lie
/// anywhere. What is not in it may change from one piece of a run to the next: docs/reliability.md lists it.
class CaseRecord {
 public:
  /// Throws InputError when a file cannot be read.
  static CaseRecord of(const Case& what, const PotentialTables& potential, const std::string& target);
  /// As to_json() made it. Throws nlohmann::json::exception.
  static CaseRecord from_json(const nlohmann::json& document);
  nlohmann::json to_json() const { return values_; }

  bool is_of_the_target_of(const CaseRecord& other) const;
  /// What counts on any target.
  CaseRecord on_any_target() const;

  /// Throws OtherCase "WHERE: is of another case: KEY = stored, now = ..." for the first key that may not
  /// differ. `time_ps`: how far the stored run has come; recoils may be added after it.
  void require_continues(const CaseRecord& stored, const std::string& where, double time_ps) const;

 private:
  template <class T>
  void set(const std::string& key, const T& value);
  void set_reference(const ReferenceSettings& reference);
  void set_dynamics(const DynamicsSettings& d);
  void set_electrons(const ElectronSettings& e);
  void set_pressure(const DynamicsSettings& d);
  void set_dose(const DoseSettings& dose);
  void set_wafer(const WaferSettings& w);

  std::map<std::string, std::string> values_;
};

}  // namespace wafermark::tungsten
