#include "cli/complete.h"

#include <cstdlib>
#include <fmt/format.h>
#include <functional>
#include <set>
#include <string_view>
#include <unistd.h>

#include <kj/exception.h>

#include "cli/arena_fields.h"
#include "cli/command_line.h"
#include "cli/completion.h"
#include "cli/console.h"
#include "cli/selection.h"
#include "ipc/control_client.h"
#include "ipc/printable.h"

namespace arenad::cli {
namespace {

// Somebody waits with a finger on the key.
constexpr uint64_t kPatienceMs = 300;
constexpr unsigned kMostSeconds = 2;  // for what has no timeout of its own: the queue of the socket may be full

using Names = std::vector<Candidate>;
using Read = std::function<void(wire::Reply::Reader, Names&)>;

Names ask_for(const std::string& socket_path, const std::function<void(wire::Request::Builder)>& fill,
              wire::Reply::Which expected, const Read& read) {
  Names names;
  try {
    auto client = ControlClient::connect(socket_path);
    if (!client) return names;
    auto answer = client->call(fill, {}, kPatienceMs);
    if (answer && answer->root().getReply().which() == expected) read(answer->root().getReply(), names);
  } catch (const kj::Exception&) {
    names.clear();  // what is not understood is no help
  }
  return names;
}

void read_arenas(wire::Reply::Reader reply, Names& names) {
  std::set<std::string> games;
  for (const auto arena : reply.getStatus().getArenas()) {
    names.push_back({text_of(arena.getName()), text_of(arena.getGame()) + ", " + text_of(arena.getState())});
    games.insert(text_of(arena.getGame()));
  }
  for (const std::string& game : games) names.push_back({std::string(kOfGame) + game, "every arena of " + game});
}

void read_games(wire::Reply::Reader reply, Names& names) {
  std::set<std::string> games;
  for (const auto version : reply.getVersions()) games.insert(text_of(version.getGame()));
  for (const std::string& game : games) names.push_back({game, ""});
}

void read_crashes(wire::Reply::Reader reply, Names& names) {
  for (const auto crash : reply.getCrashes()) names.push_back({std::to_string(crash.getId()), text_of(crash.getName())});
}

void read_quarantine(wire::Reply::Reader reply, Names& names) {
  for (const auto event : reply.getQuarantine()) names.push_back({std::to_string(event.getId()), text_of(event.getName())});
}

Names names_of(Subject subject, const std::string& socket_path) {
  using Request = wire::Request::Builder;
  switch (subject) {
    case Subject::arenas:
      return ask_for(
          socket_path,
          [](Request request) {
            auto selection = request.initStatus();
            selection.setAll(true);
            selection.setFinished(true);
          },
          wire::Reply::STATUS, read_arenas);
    case Subject::games:
      return ask_for(
          socket_path, [](Request request) { request.setVersions(""); }, wire::Reply::VERSIONS, read_games);
    case Subject::crashes:
      return ask_for(
          socket_path, [](Request request) { request.initCrashes().initSelection().setAll(true); }, wire::Reply::CRASHES,
          read_crashes);
    case Subject::quarantined:
      return ask_for(
          socket_path, [](Request request) { request.initQuarantine().setAll(true); }, wire::Reply::QUARANTINE,
          read_quarantine);
    case Subject::files:
    case Subject::none:
      return {};
  }
  return {};
}

// As the command would find it when it is finished.
std::string socket_of(std::span<const std::string> words) {
  constexpr std::string_view kOption = "--socket=";
  for (size_t i = 0; i < words.size(); ++i) {
    if (words[i].starts_with(kOption)) return words[i].substr(kOption.size());
    if (words[i] == kOption.substr(0, kOption.size() - 1) && i + 1 < words.size()) return words[i + 1];
  }
  const char* named = std::getenv("ARENAD_SOCKET");
  return named != nullptr && *named != '\0' ? named : Invocation().socket_path;
}

}  // namespace

ExitCode complete(const Commands& commands, std::span<const std::string> words) {
  ::alarm(kMostSeconds);
  const std::string typed = words.empty() ? "" : words.back();
  const auto before = words.first(words.empty() ? 0 : words.size() - 1);
  Completion found;
  look_at_command_line(commands, [&](const CLI::App& app) { found = completion_of(app, before, typed); });
  const Console console(Verbosity::normal);
  if (found.subject == Subject::files) {
    console.data("files\n");
    return console.finish(ExitCode::ok);
  }
  for (Candidate& name : names_of(found.subject, socket_of(before))) {
    if (name.text.starts_with(found.begun)) found.words.push_back({found.before + name.text, std::move(name.description)});
  }
  console.data("words\n");
  for (const Candidate& word : found.words) {
    console.data(printable(word.text) + (word.description.empty() ? "" : "\t" + printable(word.description)) + "\n");
  }
  return console.finish(ExitCode::ok);
}

}  // namespace arenad::cli
