#include "packaging/manual/program_page.h"

#include <algorithm>
#include <cctype>
#include <vector>

#include <CLI/App.hpp>

#include "cli/command_line.h"
#include "packaging/manual/scdoc_text.h"

namespace arenad::manual {
namespace {

std::string in_capitals(std::string_view text) {
  std::string capitals(text);
  std::ranges::transform(capitals, capitals.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return capitals;
}

std::string section_heading(std::string_view title) {
  return heading(Level::section, title == "Exit codes" ? "EXIT STATUS" : in_capitals(title));
}

std::string title_in_text(std::string_view title) {
  return bold(title) + "\n\n";
}

std::string without(std::string text, std::string_view part) {
  if (const size_t at = text.find(part); at != std::string::npos) text.erase(at, part.size());
  return text;
}

// "Runs a service." is the line "runs a service" of a NAME section.
std::string as_summary(std::string text) {
  if (text.ends_with('.')) text.pop_back();
  if (!text.empty()) text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  return text;
}

// Those that help shows, arguments and options apart. That each verb has --help needs no line.
std::vector<const CLI::Option*> options_of(const CLI::App& app, bool arguments) {
  std::vector<const CLI::Option*> found;
  for (const CLI::Option* option : app.get_options()) {
    const bool is_help = option == app.get_help_ptr() && app.get_parent() != nullptr;
    if (option->get_positional() == arguments && !option->get_group().empty() && !is_help) found.push_back(option);
  }
  return found;
}

// What help calls the value; empty for a flag.
std::string value_label(const CLI::Option& option) {
  if (option.get_items_expected_max() == 0) return "";
  return option.get_option_text().empty() ? option.get_type_name() : option.get_option_text();
}

std::string names_of(const CLI::Option& option) {
  std::string names;
  const auto add = [&](const std::string& name) { names += (names.empty() ? "" : ", ") + name; };
  for (const std::string& name : option.get_snames()) add("-" + name);
  for (const std::string& name : option.get_lnames()) add("--" + name);
  return names;
}

std::string option_definition(const CLI::Option& option) {
  if (option.get_positional()) return definition(underlined(option.get_name(true)), option.get_description());
  const std::string label = value_label(option);
  std::string description = option.get_description();
  if (!option.get_default_str().empty()) description += "; default " + option.get_default_str();
  return definition(bold(names_of(option)) + (label.empty() ? "" : " " + underlined(label)), description);
}

std::string definitions(const CLI::App& app) {
  std::string text;
  for (const bool arguments : {true, false}) {
    for (const CLI::Option* option : options_of(app, arguments)) text += option_definition(*option);
  }
  return text;
}

std::string usage(const CLI::App& app, const std::string& name) {
  std::string text = bold(name) + " " + escaped("[") + underlined("OPTIONS") + escaped("]");
  for (const CLI::Option* argument : options_of(app, true)) {
    std::string word = underlined(argument->get_name(true));
    if (argument->get_items_expected_max() > 1) word += escaped("...");
    if (!argument->get_required()) word = escaped("[") + word + escaped("]");
    text += " " + word;
  }
  return text;
}

std::vector<const CLI::App*> verbs_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

std::string verb_text(const CLI::App& verb, const std::string& name) {
  std::string text = heading(Level::subsection, name) + usage(verb, name) + "\n\n";
  text += escaped(verb.get_description()) + ".\n\n" + definitions(verb);
  text += formatted_help(without(verb.get_footer(), cli::kCommonOptions), title_in_text);
  for (const CLI::App* within : verbs_of(verb)) text += verb_text(*within, name + " " + within->get_name());
  return text;
}

std::string synopsis(const CLI::App& program) {
  if (verbs_of(program).empty()) return usage(program, program.get_name());
  return bold(program.get_name()) + " " + escaped("[") + underlined("OPTIONS") + escaped("]") + " " + underlined("VERB") + " " +
         escaped("[") + underlined("ARGUMENTS") + escaped("...]");
}

}  // namespace

std::string program_page(const CLI::App& program, const ProgramPage& page) {
  const std::string& name = program.get_name();
  std::string text = name + "(" + std::to_string(page.section) + ") \"\" \"Arenad\"\n\n";
  text += heading(Level::section, "NAME") + escaped(name) + " - " + escaped(as_summary(program.get_description())) + "\n\n";
  text += heading(Level::section, "SYNOPSIS") + synopsis(program) + "\n\n";
  const auto verbs = verbs_of(program);
  // What the footer says in front of its first heading is the description.
  const std::string footer = program.get_footer();
  text += heading(Level::section, "DESCRIPTION");
  const std::string sections = formatted_help(footer, section_heading);
  const size_t first_heading = sections.find("# ");
  text += escaped(program.get_description()) + "\n\n" + sections.substr(0, first_heading);
  text += heading(Level::section, "OPTIONS") + definitions(program);
  if (!verbs.empty()) {
    text += heading(Level::section, "VERBS");
    for (const CLI::App* verb : verbs) text += verb_text(*verb, name + " " + verb->get_name());
  }
  if (first_heading != std::string::npos) text += sections.substr(first_heading);
  return text + page.more + heading(Level::section, "SEE ALSO") + page.see_also + "\n";
}

}  // namespace arenad::manual
