// Which event is to blame for the deaths of an arena. Pure.
//
//   death                                     | the event before | then
//   ------------------------------------------+------------------+------------------------------
//   while applying an event, its own doing    | another, or none | this one is remembered
//   while applying an event, its own doing    | the same         | it is poison; nothing is remembered
//   while applying an event, which it blames  | any              | it is poison; nothing is remembered
//   while applying none, or ended from outside| any              | nothing is remembered
//
// A death from outside (somebody's SIGKILL, an operator's signal) says nothing of the event that it fell on.
#pragma once

#include <optional>

#include "ipc/event_ref.h"

namespace arenad {

class PoisonWatch {
 public:
  enum class Doing { its_own, of_its_event, from_outside };

  // A worker of the arena has died. Gives the event that is to blame: it has killed it for the second time in a row, or the game says so.
  std::optional<EventRef> died(const std::optional<EventRef>& applying, Doing doing) {
    if (doing == Doing::from_outside || !applying) {
      suspect_.reset();
      return std::nullopt;
    }
    if (doing == Doing::its_own && suspect_ != applying) {
      suspect_ = applying;
      return std::nullopt;
    }
    suspect_.reset();
    return applying;
  }

  [[nodiscard]] const std::optional<EventRef>& suspect() const { return suspect_; }
  // As another process had it.
  void restore(const EventRef& suspect) { suspect_ = suspect; }

 private:
  std::optional<EventRef> suspect_;
};

}  // namespace arenad
