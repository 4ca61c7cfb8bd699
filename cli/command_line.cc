#include "cli/command_line.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "cli/duration_option.h"
#include "cli/json.h"
#include "cli/program_version.h"
#include "cli/suggestion.h"

namespace arenad::cli {
namespace {

std::string exit_codes_text() {
  std::string text = "Exit codes:\n";
  for (const auto& [code, meaning] : kExitCodeMeanings) text += fmt::format("  {}  {}\n", static_cast<int>(code), meaning);
  return text + "Of several arenas the worst counts: 1 before 5, 4, 6 and 3.\n";
}

std::string footer_of(const Commands& commands) {
  std::string text = "Examples:\n";
  for (const auto& command : commands) text += "  " + command->verb().example + "\n";
  return text + "\n" + exit_codes_text() +
         "\nData goes to standard output, everything else to standard error. NO_COLOR=1 turns colours off.\n"
         "With --json an error, also of the command line, is data too: {\"schema\", \"error\": {\"code\", \"message\"}};\n"
         "standard error has it in words.\n"
         "More on a verb: arenactl VERB --help";
}

// Also on a command line that is wrong, where the parser may not have come so far.
bool is_given(const std::vector<std::string>& arguments, std::initializer_list<std::string_view> option) {
  const auto end = std::ranges::find(arguments, "--");
  return std::find_first_of(arguments.begin(), end, option.begin(), option.end()) != end;
}

// The parser of one command line. Arguments that fit nowhere are collected, so that we can say more about them.
class Parser {
 public:
  explicit Parser(const Commands& commands) {
    app_.set_version_flag("--version", "arenactl " + std::string(kProgramVersion), "Shows the version of this command");
    app_.set_help_flag("-h,--help", "Shows this");
    app_.get_formatter()->column_width(28);
    app_.get_formatter()->label("SUBCOMMAND", "VERB");
    app_.get_formatter()->label("Subcommands", "Verbs");
    app_.fallthrough();
    app_.allow_extras();
    app_.require_subcommand(0, 1);
    app_.footer(footer_of(commands));
    add_options();
    for (const auto& command : commands) {
      verbs_.push_back(command->verb().name);
      add_verb(app_, *command);
    }
  }

  std::variant<Invocation, ExitCode> parse(std::vector<std::string> arguments) {
    error_format_ = is_given(arguments, {"--json"}) ? Format::json : Format::text;
    if (is_given(arguments, {"-q", "--quiet"})) error_console_ = Console(Verbosity::quiet);
    std::ranges::reverse(arguments);  // as the library wants them
    try {
      app_.parse(std::move(arguments));
    } catch (const CLI::CallForHelp&) {
      console_.data(app_.help());
      return console_.finish(ExitCode::ok);
    } catch (const CLI::CallForVersion& version) {
      console_.data(std::string(version.what()) + "\n");
      return console_.finish(ExitCode::ok);
    } catch (const CLI::ParseError& error) {
      return usage_error(error.what());
    }
    return chosen();
  }

  [[nodiscard]] const CLI::App& app() const { return app_; }

 private:
  void add_options() {
    app_.add_option("--socket", invocation_.socket_path,
                    "The control socket; default ARENAD_SOCKET, else " + invocation_.socket_path)
        ->envname("ARENAD_SOCKET")
        ->option_text("PATH");
    add_duration_option(
        app_, "--timeout", [this](uint64_t ms) { invocation_.timeout_ms = ms; },
        "How long to wait for arenad: 500ms, 10s, 2m; default 30s; drain: 30s past its deadline; reload, rollback: none");
    app_.add_flag_callback(
        "--json", [this] { invocation_.format = Format::json; }, "Prints one JSON object, also of an error");
    app_.add_flag_callback(
        "-q,--quiet", [this] { invocation_.verbosity = Verbosity::quiet; }, "Prints nothing but errors; the exit code tells");
    app_.add_option("--color,--colour", invocation_.colour,
                    "Colours: auto (at a terminal, unless NO_COLOR is set), always, never")
        ->transform(CLI::Transformer(std::map<std::string, ColourWish>{
            {"auto", ColourWish::automatic}, {"always", ColourWish::always}, {"never", ColourWish::never}}))
        ->option_text("WHEN");
  }

  void add_verb(CLI::App& to, Command& command) {
    const Verb verb = command.verb();
    CLI::App* app = to.add_subcommand(verb.name, verb.summary);
    app->group(verb.group);
    app->footer(verb.details + "\n" + std::string(kCommonOptions));
    command.add_options(*app);
    app->require_subcommand(0, 1);
    for (const auto& nested : command.verbs()) add_verb(*app, *nested);
    command_of_[app] = &command;
  }

  // The verbs of the command line, each within the one before.
  [[nodiscard]] std::vector<const CLI::App*> selected_verbs() const {
    std::vector<const CLI::App*> verbs;
    for (const CLI::App* app = &app_;;) {
      const auto selected = app->get_subcommands();
      if (selected.empty()) return verbs;
      app = selected[0];
      verbs.push_back(app);
    }
  }

  std::variant<Invocation, ExitCode> chosen() {
    auto extras = app_.remaining(true);
    std::erase(extras, "--");
    const auto selected = selected_verbs();
    if (selected.empty()) return without_verb(extras);
    if (!extras.empty()) return usage_error(unexpected(extras[0], *selected.back()));
    for (size_t outer = 0; outer + 1 < selected.size(); ++outer) {
      for (const CLI::Option* option : selected[outer]->get_options()) {
        if (option->count() != 0) return usage_error(out_of_place(*option, *selected.back()));
      }
    }
    invocation_.command = command_of_.at(selected.back());
    return invocation_;
  }

  // What belongs to a verb is also taken behind a verb within it, where it would be ignored.
  static std::string out_of_place(const CLI::Option& option, const CLI::App& verb) {
    if (option.get_positional()) return "unexpected argument '" + option.results()[0] + "'";
    return option.get_name() + " does not go with '" + verb.get_name() + "'";
  }

  ExitCode without_verb(const std::vector<std::string>& extras) {
    if (extras.empty()) {
      return usage_error(fmt::format("what shall be done? A verb is missing: {}", fmt::join(verbs_, " ")));
    }
    if (extras[0].starts_with('-')) return usage_error(unexpected(extras[0], app_));
    return usage_error("there is no verb '" + extras[0] + "'" + did_you_mean(extras[0], verbs_));
  }

  std::string unexpected(const std::string& argument, const CLI::App& verb) const {
    if (!argument.starts_with('-')) return "unexpected argument '" + argument + "'";
    std::vector<std::string> known;
    for (const CLI::App* app : {&verb, &app_}) {
      for (const CLI::Option* option : app->get_options()) {
        for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
      }
    }
    return "unknown option '" + argument + "'" + did_you_mean(argument.substr(0, argument.find('=')), known);
  }

  ExitCode usage_error(const std::string& message) const {
    const Session session{error_console_, invocation_.socket_path, error_format_, {}};
    const ExitCode code = session.fail(make_error(ErrorCode::invalid, message));
    std::string path;
    for (const CLI::App* verb : selected_verbs()) path += verb->get_name() + " ";
    error_console_.error("see arenactl " + path + "--help");
    return error_console_.finish(code);
  }

  std::vector<std::string> verbs_;  // without those within verbs
  std::map<const CLI::App*, Command*> command_of_;
  Invocation invocation_;
  Console console_{Verbosity::normal};  // for what was asked for: help and version
  Console error_console_{Verbosity::normal};
  Format error_format_ = Format::text;
  CLI::App app_{"Starts, watches and stops the arenas of an arenad.", "arenactl"};
};

// "help" and "help VERB" are what many type first.
std::vector<std::string> with_help_as_option(std::vector<std::string> arguments) {
  if (arguments.empty() || arguments[0] != "help") return arguments;
  std::rotate(arguments.begin(), arguments.begin() + 1, arguments.end());
  arguments.back() = "--help";
  return arguments;
}

}  // namespace

std::variant<Invocation, ExitCode> parse_command_line(const Commands& commands, std::vector<std::string> arguments) {
  return Parser(commands).parse(with_help_as_option(std::move(arguments)));
}

void look_at_command_line(const Commands& commands, const std::function<void(const CLI::App&)>& look) {
  look(Parser(commands).app());
}

}  // namespace arenad::cli
