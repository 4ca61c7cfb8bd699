#include "cli/completion.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <sstream>

#include <CLI/App.hpp>

#include "cli/signal_name.h"

namespace arenad::cli {
namespace {

constexpr std::string_view kColumnsHeading = "Columns:\n";

struct NamedSubject {
  std::string_view name;  // as help calls the argument, or the value of an option
  Subject subject;
};
constexpr std::array kSubjects{
    NamedSubject{"ARENA", Subject::arenas},    NamedSubject{"GLOB...", Subject::arenas},
    NamedSubject{"GAME", Subject::games},      NamedSubject{"PATH", Subject::files},
    NamedSubject{"FILE", Subject::files},      NamedSubject{"BINARY", Subject::files},
    NamedSubject{"MODULE.so", Subject::files}, NamedSubject{"[ARENA-WORKER]", Subject::files},
    NamedSubject{"RECORDING", Subject::files},
};

bool takes_value(const CLI::Option& option) {
  return option.get_items_expected_max() > 0;
}

bool is_shown(const CLI::Option& option) {
  return !option.get_group().empty();
}

// The word as it is typed: --name rather than -n.
std::string spelling_of(const CLI::Option& option) {
  if (!option.get_lnames().empty()) return "--" + option.get_lnames().front();
  return option.get_snames().empty() ? "" : "-" + option.get_snames().front();
}

// What help calls the value.
std::string label_of(const CLI::Option& option) {
  if (option.get_positional()) return option.get_name(true);
  return option.get_option_text();
}

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, at);) parts.push_back(part);
  return parts;
}

// Help on the verb lists them.
std::vector<std::string> columns_of(const CLI::App& verb) {
  const std::string footer = verb.get_footer();
  const size_t at = footer.find(kColumnsHeading);
  std::vector<std::string> columns;
  if (at == std::string::npos) return columns;
  std::istringstream lines(footer.substr(at + kColumnsHeading.size()));
  for (std::string line; std::getline(lines, line) && line.starts_with("  ");) {
    std::istringstream names(line);
    for (std::string name; names >> name;) columns.push_back(name);
  }
  return columns;
}

// Reads the words in front of the one that is typed, as the parser would.
class Reader {
 public:
  explicit Reader(const CLI::App& root) : root_(root), verb_(&root) {}

  void take(const std::string& word) {
    if (open_ != nullptr && (open_once_ || !word.starts_with('-'))) {
      if (open_once_) open_ = nullptr;
      return;
    }
    open_ = nullptr;
    if (only_arguments_) {
      ++arguments_;
    } else if (word == "--") {
      only_arguments_ = true;
    } else if (word.size() > 1 && word.starts_with('-')) {
      take_option(word);
    } else {
      take_argument(word);
    }
  }

  [[nodiscard]] Completion completion(const std::string& typed) const {
    if (asks_for_help_) return verbs_within(root_, typed);
    Completion found;
    if (open_ != nullptr && (open_once_ || !typed.starts_with('-'))) {
      add_values(found, label_of(*open_), "", typed);
      return found;
    }
    const size_t equals = typed.find('=');
    if (!only_arguments_ && typed.starts_with("--") && equals != std::string::npos) {
      const CLI::Option* option = find_option(typed.substr(0, equals));
      if (option != nullptr) add_values(found, label_of(*option), typed.substr(0, equals + 1), typed.substr(equals + 1));
      return found;
    }
    if (!only_arguments_ && typed.starts_with('-')) return options(typed);
    if (!only_arguments_ && arguments_ == 0) found = verbs_within(*verb_, typed);
    if (const CLI::Option* argument = next_argument(); argument != nullptr) add_values(found, label_of(*argument), "", typed);
    return found;
  }

 private:
  void take_option(const std::string& word) {
    const size_t equals = word.find('=');
    const CLI::Option* option = find_option(word.substr(0, equals));
    // -oVALUE
    const bool has_value = equals != std::string::npos || (!word.starts_with("--") && word.size() > 2);
    if (option == nullptr || has_value || !takes_value(*option)) return;
    open_ = option;
    open_once_ = option->get_items_expected_max() == 1;
  }

  void take_argument(const std::string& word) {
    if (verb_ == &root_ && word == "help") asks_for_help_ = true;
    for (const CLI::App* verb : verb_->get_subcommands([](const CLI::App*) { return true; })) {
      if (arguments_ != 0 || verb->get_name() != word) continue;
      verb_ = verb;
      return;
    }
    ++arguments_;
  }

  [[nodiscard]] const CLI::Option* find_option(const std::string& name) const {
    for (const CLI::App* app : {verb_, &root_}) {
      for (const CLI::Option* option : app->get_options()) {
        if (!option->get_positional() && option->check_name(name)) return option;
      }
    }
    return nullptr;
  }

  [[nodiscard]] const CLI::Option* next_argument() const {
    const CLI::Option* last = nullptr;
    size_t index = 0;
    for (const CLI::Option* option : verb_->get_options()) {
      if (!option->get_positional()) continue;
      if (index++ == arguments_) return option;
      last = option;
    }
    return last != nullptr && last->get_items_expected_max() > 1 ? last : nullptr;
  }

  static Completion verbs_within(const CLI::App& verb, const std::string& typed) {
    Completion found;
    for (const CLI::App* within : verb.get_subcommands([](const CLI::App*) { return true; })) {
      if (within->get_name().starts_with(typed)) found.words.push_back({within->get_name(), within->get_description()});
    }
    return found;
  }

  [[nodiscard]] Completion options(const std::string& typed) const {
    Completion found;
    const auto add_of = [&](const CLI::App& app) {
      for (const CLI::Option* option : app.get_options()) {
        const std::string word = spelling_of(*option);
        const bool repeated = std::ranges::any_of(found.words, [&](const Candidate& other) { return other.text == word; });
        if (option->get_positional() || repeated || !is_shown(*option) || !word.starts_with(typed)) continue;
        found.words.push_back({word, option->get_description()});
      }
    };
    add_of(*verb_);
    if (verb_ != &root_) add_of(root_);
    return found;
  }

  void add_values(Completion& found, const std::string& label, const std::string& before, const std::string& begun) const {
    const auto add_if_begun = [&](const std::string& word, const std::string& in_front) {
      const std::string whole = in_front + word;
      if (whole.starts_with(begun)) found.words.push_back({before + whole, ""});
    };
    if (label == "COLUMN") {
      for (const std::string& column : columns_of(*verb_)) add_if_begun(column, "");
    } else if (label == "SIGNAL") {
      for (const std::string& name : signal_names()) add_if_begun(name, "");
    } else if (label.starts_with("NAME,NAME")) {
      const size_t comma = begun.rfind(',');
      const std::string chosen = comma == std::string::npos ? "" : begun.substr(0, comma + 1);
      for (const std::string& column : columns_of(*verb_)) add_if_begun(column, chosen);
    } else if (label == "ID") {
      found.subject = subject_of_id();
    } else if (label.find('|') != std::string::npos) {
      for (const std::string& word : split(label, '|')) {
        if (std::ranges::any_of(word, [](unsigned char c) { return std::islower(c) != 0; })) add_if_begun(word, "");
      }
    } else if (const auto* known = std::ranges::find(kSubjects, label, &NamedSubject::name); known != kSubjects.end()) {
      found.subject = known->subject;
    }
    found.before = before;
    found.begun = begun;
  }

  [[nodiscard]] Subject subject_of_id() const {
    const CLI::App* outer = verb_->get_parent();
    if (!std::ranges::any_of(verb_->get_options(), [](const CLI::Option* option) { return option->get_positional(); })) {
      return Subject::none;
    }
    if (outer != nullptr && outer->get_name() == "crashes") return Subject::crashes;
    return outer != nullptr && outer->get_name() == "quarantine" ? Subject::quarantined : Subject::none;
  }

  const CLI::App& root_;
  const CLI::App* verb_;
  size_t arguments_ = 0;               // of the verb
  const CLI::Option* open_ = nullptr;  // whose value comes next
  bool open_once_ = false;             // that takes one value
  bool only_arguments_ = false;        // behind --
  bool asks_for_help_ = false;
};

}  // namespace

Completion completion_of(const CLI::App& command_line, std::span<const std::string> words, const std::string& typed) {
  Reader reader(command_line);
  for (const std::string& word : words) reader.take(word);
  return reader.completion(typed);
}

}  // namespace arenad::cli
