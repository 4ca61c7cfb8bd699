// arenad ends in order while arenas play, its keeper with it, and both are started again: what the faults of that have in common.
#pragma once

#include <functional>
#include <string>

#include "chaos/fault.h"

namespace arenad::chaos {

// What is missing to do it: a driver does not attach again.
std::string without_players_that_come_back(const Stage& stage);
// SIGTERM or SIGINT to arenad, SIGTERM to its keeper, or an operator's request.
Result<void> tell_to_end(Stage& stage, const Strike& strike);
// It was told so: until it has ended, with its keeper; and until the next one is a process. Players play on meanwhile.
Result<void> see_it_end(Stage& stage);
Result<void> see_it_begin(Stage& stage);
// It was told so: until it has ended, with its keeper; both again, and every player in its arena. Players play on meanwhile, as far
// as they can.
enum class Told { while_it_serves, while_it_begins };
Result<void> see_it_end_and_begin_again(Stage& stage, Told told = Told::while_it_serves);

// A Fault: an error of what is done is a violation.
Fault arenad_ends_in_order(const char* name, const char* does, const char* holds,
                           std::function<Result<void>(Stage&, const Strike&)> deed);

}  // namespace arenad::chaos
