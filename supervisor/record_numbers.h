// The numbers under which incidents, quarantined events and commands are kept: each is given out once, also over restarts.
#pragma once

#include <cstdint>

namespace arenad {

class RecordNumbers {
 public:
  RecordNumbers(uint64_t last_incident, uint64_t last_quarantined, uint64_t last_command)
      : last_incident_(last_incident),
        last_quarantined_(last_quarantined),
        last_quarantined_before_(last_quarantined),
        last_command_(last_command) {}
  uint64_t next_incident() { return ++last_incident_; }
  uint64_t next_quarantined() { return ++last_quarantined_; }
  // The database has had this entry of the quarantine when this arenad began, and perhaps has it no more.
  [[nodiscard]] bool was_quarantined_before(uint64_t id) const { return id <= last_quarantined_before_; }
  uint64_t next_command() { return ++last_command_; }

 private:
  uint64_t last_incident_;
  uint64_t last_quarantined_;
  uint64_t last_quarantined_before_;
  uint64_t last_command_;
};

}  // namespace arenad
