// arenactl new-game: what a game may be called, and what is made. That the games run is shown by out_of_tree_test.sh.
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>
#include <string>

#include <doctest/doctest.h>

#include "cli/new_game.h"
#include "tests/cli_program.h"

using namespace arenad::cli;
using arenad::ErrorCode;
using arenad::cli_test::Ended;
using arenad::cli_test::run;
using arenad::cli_test::TemporaryFolder;
using arenad::cli_test::Texts;
using json = nlohmann::json;
namespace fs = std::filesystem;

namespace {

Texts paths_of(GameLanguage language) {
  Texts paths;
  for (const NewFile& file : new_game_files(language, "duel", 1)) paths.push_back(file.path);
  return paths;
}

std::string text_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  REQUIRE(file);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

}  // namespace

TEST_SUITE("arenactl new-game") {
  TEST_CASE("what a game may be called") {
    for (const char* name : {"duel", "Duel", "d", "my_duel_2", "game", "D2"}) {
      CAPTURE(name);
      CHECK(check_game_name(name));
    }
    CHECK(check_game_name(std::string(32, 'a')));
    for (const char* name : {"", "2duel", "_duel", "my-duel", "my duel", "../duel", "du\xc3\xa9l", "my__duel", "class",
                             "lambda", "None", "namespace", "arenad", "std", "tests", "random"}) {
      CAPTURE(name);
      const auto checked = check_game_name(name);
      REQUIRE_FALSE(checked);
      CHECK(checked.error().code == ErrorCode::invalid);
    }
    CHECK_FALSE(check_game_name(std::string(33, 'a')));
  }

  TEST_CASE("classes are called like nothing else in their files") {
    CHECK(class_name_of("duel") == "DuelGame");
    CHECK(class_name_of("Duel") == "DuelGame");
    CHECK(class_name_of("my_duel_2") == "MyDuel2Game");
    CHECK(class_name_of("aim") == "AimGame");
  }

  TEST_CASE("which files there are, and nothing is left to fill in") {
    CHECK(paths_of(GameLanguage::cpp) ==
          Texts{"CMakeLists.txt", "duel.capnp", "duel.h", "duel.cc", "duel_test.cc", "arenad.toml", "README.md", ".gitignore"});
    CHECK(paths_of(GameLanguage::python) == Texts{"duel/__init__.py", "duel/duel.capnp", "duel/game.py", "tests/test_game.py",
                                                  "arenad.toml", "README.md", ".gitignore"});
    for (const GameLanguage language : {GameLanguage::cpp, GameLanguage::python}) {
      for (const NewFile& file : new_game_files(language, "my_duel", 1)) {
        CAPTURE(file.path);
        CHECK_FALSE(std::regex_search(file.text, std::regex("\\{\\{[A-Za-z]+\\}\\}")));
        CHECK(file.text.ends_with('\n'));
      }
    }
  }

  TEST_CASE("each schema has an id of its own, with the highest bit as Cap'n Proto wants it") {
    const NewFile schema = new_game_files(GameLanguage::python, "duel", 0x1234)[1];
    CHECK(schema.text.starts_with("@0x8000000000001234;\n"));
    const TemporaryFolder folder;
    std::set<std::string> ids;
    for (const char* name : {"a", "b", "c"}) {
      REQUIRE(run({"new-game", "--cpp", "duel", "--directory", folder.file(name)}).code == 0);
      ids.insert(text_of(fs::path(folder.file(name)) / "duel.capnp").substr(0, 20));
    }
    CHECK(ids.size() == 3);
  }

  TEST_CASE("a folder is made, and what was made is told") {
    const TemporaryFolder folder;
    const std::string made = folder.file("games/of/mine");
    const Ended ended = run({"new-game", "--python", "duel", "--directory", made});
    CHECK(ended.code == 0);
    CHECK(ended.out.starts_with(made + "/duel/__init__.py\n" + made + "/duel/duel.capnp\n"));
    CHECK(ended.err == "arenactl: " + made + "/README.md says how to build, test and run it\n");
    CHECK(text_of(fs::path(made) / "duel/__init__.py").starts_with("from .game import DuelGame\n"));
    const json answer = json::parse(run({"new-game", "--cpp", "duel", "--directory", folder.file("b"), "--json"}).out);
    CHECK(answer["schema"] == 1);
    CHECK(answer["game"] == "duel");
    CHECK(answer["language"] == "cpp");
    CHECK(answer["directory"] == folder.file("b"));
    CHECK(answer["files"].size() == 8);
  }

  TEST_CASE("what is there is never written to") {
    const TemporaryFolder folder;
    fs::create_directory(folder.file("there"));
    std::ofstream(folder.file("file")) << "mine";
    for (const char* name : {"there", "file"}) {
      const Ended ended = run({"new-game", "--cpp", "duel", "--directory", folder.file(name)});
      CHECK(ended.code == 1);
      CHECK(ended.out == "");
      CHECK(ended.err == "arenactl: " + folder.file(name) + " is there already, and is left as it is\n");
    }
    CHECK(fs::is_empty(folder.file("there")));
    CHECK(text_of(folder.file("file")) == "mine");
    CHECK(run({"new-game", "--cpp", "duel", "--directory", folder.file("file/duel")}).code == 1);
  }

  TEST_CASE("slips of the operator") {
    const TemporaryFolder folder;
    const auto error_of = [&](Texts arguments) {
      arguments.insert(arguments.begin(), {"new-game", "--directory", folder.file("x")});
      const Ended ended = run(arguments);
      CHECK(ended.code == 2);
      CHECK(ended.out == "");
      return ended.err;
    };
    CHECK(error_of({}) == "arenactl: either --cpp NAME or --python NAME is wanted\n");
    CHECK(error_of({"--cpp", "a", "--python", "b"}) == "arenactl: either --cpp NAME or --python NAME is wanted\n");
    CHECK(error_of({"--cpp", "my-duel"}) ==
          "arenactl: 'my-duel' is no name for a game: a letter, then letters, digits and single '_', of at most 32 in all\n");
    CHECK(error_of({"--python", "lambda"}).starts_with("arenactl: a game cannot be called 'lambda'"));
    CHECK(error_of({"--ccp", "duel"}).find("did you mean '--cpp'?") != std::string::npos);
    CHECK_FALSE(fs::exists(folder.file("x")));
  }
}
