#include <cerrno>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <sys/stat.h>

#include <CLI/App.hpp>

#include "cli/command.h"
#include "cli/json_object.h"
#include "cli/new_game.h"
#include "ipc/clock.h"
#include "ipc/printable.h"

namespace arenad::cli {
namespace {

namespace fs = std::filesystem;

Result<void> write_file(const fs::path& path, const std::string& text) {
  std::error_code failed;
  fs::create_directories(path.parent_path(), failed);
  if (failed) return Error{ErrorCode::failed, failed.value(), "cannot make the folder " + path.parent_path().string()};
  errno = 0;
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file) return errno_error("cannot write " + path.string());
  return {};
}

class NewGameCommand final : public Command {
 public:
  [[nodiscard]] Verb verb() const override {
    return {.name = "new-game",
            .summary = "Makes a folder with a small game that runs, and its tests, to begin one's own with",
            .example = "arenactl new-game --cpp duel",
            .details =
                "The folder has the game's messages and state (NAME.capnp), its rules, a test that plays it without arenad,\n"
                "a configuration for arenad, and a README.md with the commands that build, test and run it. It asks no\n"
                "arenad, and never writes into a folder that is there.\n\n"
                "Examples:\n"
                "  arenactl new-game --cpp duel\n"
                "  arenactl new-game --python duel --directory games/duel\n",
            .group = kCodeVerbs};
  }

  void add_options(CLI::App& app) override {
    app.add_option("--cpp", cpp_, "In C++, called so: a letter, then letters, digits and '_'")->option_text("NAME");
    app.add_option("--python", python_, "The same in Python")->option_text("NAME");
    app.add_option("--directory", directory_, "The folder to make; default NAME")->option_text("PATH");
  }

  ExitCode run(const Session& session) override {
    const auto made = make();
    if (!made) return session.fail(made.error());
    report(session);
    return ExitCode::ok;
  }

 private:
  Result<void> make() {
    if (cpp_.empty() == python_.empty()) return make_error(ErrorCode::invalid, "either --cpp NAME or --python NAME is wanted");
    if (auto checked = check_game_name(name()); !checked) return checked;
    if (directory_.empty()) directory_ = name();
    const fs::path folder(directory_);
    std::error_code failed;
    if (folder.has_parent_path()) fs::create_directories(folder.parent_path(), failed);
    // Here it is decided whose folder it is, whoever else makes one.
    if (::mkdir(folder.c_str(), 0777) != 0) {
      if (errno == EEXIST) return make_error(ErrorCode::failed, directory_ + " is there already, and is left as it is");
      return errno_error("cannot make the folder " + directory_);
    }
    files_ = new_game_files(language(), name(), random_u64());
    for (const NewFile& file : files_) {
      if (auto written = write_file(folder / file.path, file.text); !written) {
        fs::remove_all(folder, failed);
        return written;
      }
    }
    return {};
  }

  void report(const Session& session) const {
    if (session.format == Format::json) {
      Json json = object_with_schema();
      json["game"] = name();
      json["language"] = to_string(language());
      json["directory"] = directory_;
      json["files"] = Json::array();
      for (const NewFile& file : files_) json["files"].push_back(file.path);
      return session.console.data(line(json));
    }
    std::string text;
    const std::string folder = printable(directory_);
    for (const NewFile& file : files_) text += fmt::format("{}/{}\n", folder, file.path);
    session.console.data(text);
    session.console.note(fmt::format("{0}/README.md says how to build, test and run it", folder));
  }

  [[nodiscard]] GameLanguage language() const { return python_.empty() ? GameLanguage::cpp : GameLanguage::python; }
  [[nodiscard]] const std::string& name() const { return python_.empty() ? cpp_ : python_; }

  std::string cpp_;
  std::string python_;
  std::string directory_;
  std::vector<NewFile> files_;
};

}  // namespace

std::unique_ptr<Command> new_game_command() {
  return std::make_unique<NewGameCommand>();
}

}  // namespace arenad::cli
