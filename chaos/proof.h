// What is to be proven: parts, each a program that is run and writes what it found as one flat JSON object, and the figures that are
// taken from it. A new part is a new entry in proof_parts(), nothing else.
#pragma once

#include <string>
#include <vector>

namespace arenad::chaos {

// What a figure has to be.
enum class Bar { at_least, at_most, shown };

struct Figure {
  std::string name;  // in the table and in the JSON
  std::string key;   // in the part's JSON
  Bar bar = Bar::shown;
  double bound = 0;
};

enum class Extent { whole, brief };

struct Part {
  std::string name;
  std::string program;                 // beside this one, or "folder/name" in the build tree
  std::vector<std::string> arguments;  // those that follow are added: --json FILE
  std::vector<Figure> figures;
};

std::vector<Part> proof_parts(Extent extent);

}  // namespace arenad::chaos
