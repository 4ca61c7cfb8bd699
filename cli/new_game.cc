#include "cli/new_game.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <fmt/format.h>
#include <span>
#include <utility>

#include "cli/game_templates.h"

namespace arenad::cli {
namespace {

constexpr size_t kMaxNameBytes = 32;

// Of C++20 and of Python, and what modules, libraries and targets are called that a game would be taken for. Each word has a space on both sides.
constexpr std::string_view kTaken =
    " False None True alignas alignof all and and_eq arenad as asm assert async auto await bitand bitor bool break capnp"
    " case catch char char16_t char32_t char8_t class clean co_await co_return co_yield compl concept const const_cast"
    " consteval constexpr constinit continue decltype def default del delete do double dynamic_cast elif else enum except"
    " explicit export extern false finally float for friend from global goto help if import in inline install int is json kj"
    " lambda linux long main mutable namespace new noexcept nonlocal not not_eq nullptr operator or or_eq pass private"
    " protected public raise random register reinterpret_cast requires return short signed sizeof static static_assert"
    " static_cast std struct switch template test tests this thread_local throw true try typedef typeid typename typing"
    " union unittest unix unsigned using virtual void volatile wchar_t while with xor xor_eq yield"
    " ";

std::string with(std::string text, std::string_view placeholder, std::string_view value) {
  for (size_t at = text.find(placeholder); at != std::string::npos; at = text.find(placeholder, at + value.size())) {
    text.replace(at, placeholder.size(), value);
  }
  return text;
}

struct TemplateFile {
  const char* path;
  const char* text;
};

constexpr std::array kCppFiles{
    TemplateFile{"CMakeLists.txt", templates::kCppCMakeLists}, TemplateFile{"{{name}}.capnp", templates::kSchema},
    TemplateFile{"{{name}}.h", templates::kCppGameHeader},     TemplateFile{"{{name}}.cc", templates::kCppGame},
    TemplateFile{"{{name}}_test.cc", templates::kCppTest},     TemplateFile{"arenad.toml", templates::kCppConfig},
    TemplateFile{"README.md", templates::kCppReadme},          TemplateFile{".gitignore", templates::kIgnored}};

constexpr std::array kPythonFiles{TemplateFile{"{{name}}/__init__.py", templates::kPythonPackage},
                                  TemplateFile{"{{name}}/{{name}}.capnp", templates::kSchema},
                                  TemplateFile{"{{name}}/game.py", templates::kPythonGame},
                                  TemplateFile{"tests/test_game.py", templates::kPythonTest},
                                  TemplateFile{"arenad.toml", templates::kPythonConfig},
                                  TemplateFile{"README.md", templates::kPythonReadme},
                                  TemplateFile{".gitignore", templates::kIgnored}};

std::span<const TemplateFile> files_in(GameLanguage language) {
  switch (language) {
    case GameLanguage::cpp:
      return kCppFiles;
    case GameLanguage::python:
      return kPythonFiles;
  }
  return {};
}

std::string namespace_in(GameLanguage language, const std::string& name) {
  if (language == GameLanguage::python) return "";
  return "using Cxx = import \"/capnp/c++.capnp\";\n$Cxx.namespace(\"" + name + "\");\n";
}

}  // namespace

const char* to_string(GameLanguage language) {
  switch (language) {
    case GameLanguage::cpp:
      return "cpp";
    case GameLanguage::python:
      return "python";
  }
  return "?";
}

Result<void> check_game_name(std::string_view name) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const auto fits = [&](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '_'; };
  // Two underscores in a row are the compiler's own.
  const bool is_identifier = !name.empty() && name.size() <= kMaxNameBytes && is_letter(name[0]) &&
                             std::ranges::all_of(name, fits) && name.find("__") == std::string_view::npos;
  if (!is_identifier) {
    return make_error(
        ErrorCode::invalid,
        fmt::format("'{}' is no name for a game: a letter, then letters, digits and single '_', of at most {} in all", name,
                    kMaxNameBytes));
  }
  if (kTaken.find(fmt::format(" {} ", name)) != std::string_view::npos) {
    return make_error(ErrorCode::invalid,
                      fmt::format("a game cannot be called '{}', which means something else in C++, in Python "
                                  "or to what builds it",
                                  name));
  }
  return {};
}

std::string class_name_of(std::string_view name) {
  std::string camel;
  bool begins = true;
  for (const char c : name) {
    if (c != '_') camel += begins ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
    begins = c == '_';
  }
  return camel + "Game";
}

std::vector<NewFile> new_game_files(GameLanguage language, const std::string& name, uint64_t file_id) {
  const auto filled = [&](std::string text) {
    text = with(std::move(text), "{{name}}", name);
    text = with(std::move(text), "{{Class}}", class_name_of(name));
    text = with(std::move(text), "{{namespace}}", namespace_in(language, name));
    return with(std::move(text), "{{id}}", fmt::format("@{:#018x}", file_id | uint64_t{1} << 63));
  };
  std::vector<NewFile> files;
  for (const TemplateFile& file : files_in(language)) files.push_back({filled(file.path), filled(file.text)});
  return files;
}

}  // namespace arenad::cli
