// What is around game code (docs/the-cage.md). It closes in two steps: around the template before it loads the module, whose constructors
// are game code too, and tighter around each worker once it has its region. Neither can be undone, and workers are forked into both.
#pragma once

#include <string>

#include "ipc/cage_options.h"
#include "ipc/fd.h"
#include "worker/system_call_filter.h"

namespace arenad {

class Cage {
 public:
  // What arenad has written into the environment. An arenad that has written nothing knows no cages: there is none then.
  static Result<Cage> of_environment();

  // In a template. What the running kernel lacks is left out; arenad has said so when it started.
  Result<void> close_around_template(const std::string& module_path);
  // In a worker.
  [[nodiscard]] Result<void> close_around_worker() const;

 private:
  explicit Cage(CageOptions options) : options_(std::move(options)) {}

  CageOptions options_;
  FilterProgram worker_filter_;
  Fd signal_domain_;
};

}  // namespace arenad
