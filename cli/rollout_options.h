// How a rollout goes: the options that reload and rollback share.
#pragma once

#include <cstdint>
#include <string>

#include "arenad/result.h"
#include "cli/batch_size.h"
#include "ipc/control.capnp.h"

namespace CLI {
class App;
}

namespace arenad::cli {

class RolloutOptions {
 public:
  // Of this object, which must live while the command line is parsed.
  void add_to(CLI::App& verb);
  // Reads what was given. ErrorCode::invalid if it means nothing.
  Result<void> check();
  // After check().
  void fill(wire::Reload::Builder reload) const;

  [[nodiscard]] bool is_dry_run() const { return dry_run_; }
  [[nodiscard]] bool waits() const { return !no_wait_ && !dry_run_; }

 private:
  std::string canary_text_ = "1";
  std::string batch_text_ = "25%";
  std::string probation_frames_text_ = "100";
  std::string on_failure_text_ = "stop";
  uint64_t probation_ms_ = 5000;
  bool dry_run_ = false;
  bool no_wait_ = false;

  uint32_t canary_ = 0;
  BatchSize batch_;
  uint32_t probation_frames_ = 0;
  wire::OnFailure on_failure_ = wire::OnFailure::STOP;
};

}  // namespace arenad::cli
