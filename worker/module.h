// A loaded game module. A module is never unloaded: another version lives in another process.
#pragma once

#include <memory>
#include <string>

#include "arenad/module_abi.h"
#include "arenad/result.h"

namespace arenad {

class Module {
 public:
  // Runs the module's constructors. Errors: not there, not a shared object, no entry symbol, another ABI version, a table that
  // lacks what a game needs.
  static Result<Module> load(const std::string& path);

  // As far as the module's table reaches; what came later is NULL.
  [[nodiscard]] const arenad_game& game() const { return *game_; }

 private:
  explicit Module(const arenad_game& game);
  std::shared_ptr<const arenad_game> game_;
};

}  // namespace arenad
