// What someone may have meant who typed a word that does not exist.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace arenad::cli {

// Letters to insert, remove, replace, or swap with their neighbour, to make one word of the other
// (optimal string alignment distance).
size_t edit_distance(std::string_view a, std::string_view b);

// The known words nearest to `word`, all equally near, in their order; none if nothing is near.
// Words that begin with `word` are near.
std::vector<std::string> suggestions(std::string_view word, std::span<const std::string> known);

// "; did you mean 'start' or 'status'?", or nothing.
std::string did_you_mean(std::string_view word, std::span<const std::string> known);

}  // namespace arenad::cli
