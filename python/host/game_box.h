// One arena's game object in Python, behind the callbacks of module_abi.h: what comes is turned into Python's objects, what is raised into a verdict.
#pragma once

#include <pybind11/pybind11.h>
#include <span>
#include <string>

#include "arenad/module_abi.h"
#include "python/host/game_class.h"

namespace arenad::python {

// What a game does to the outside, as arenad.context.Host says it.
class HostHandle {
 public:
  HostHandle(const arenad_host& host, const GameClass& game) : host_(host), game_(game) {}
  bool send(const py::object& message, uint64_t seats);
  bool result(uint32_t seat, const py::object& message);
  bool kick(uint32_t seat, const py::object& said);
  void garbage_put_off();
  void end() { host_.end(host_.self); }
  void log(int level, const py::object& said);

 private:
  const arenad_host& host_;
  const GameClass& game_;
};

class GameBox {
 public:
  GameBox(const GameClass& game, const arenad_host& host, const arenad_frame& frame);

  arenad_verdict init(std::span<const arenad_param> params, arenad_arena_options& options);
  arenad_verdict restore(std::span<const uint64_t> words);
  arenad_verdict migrate(const char* old_version, std::span<const uint64_t> words);
  arenad_verdict join_attempt(uint32_t seat, std::string_view player);
  arenad_verdict join(uint32_t seat, std::string_view player);
  arenad_verdict leave(uint32_t seat, uint32_t reason);
  arenad_verdict event(const arenad_event& event);
  arenad_verdict signal(std::string_view name, std::string_view payload);
  arenad_verdict tick();
  arenad_verdict drain(uint64_t deadline_unix_ns);
  size_t checkpoint(std::span<uint64_t> words);
  void idle(uint64_t ns_left);
  void diverged(uint64_t frame);
  [[nodiscard]] const char* error() const { return error_.c_str(); }

 private:
  template <class Call>
  arenad_verdict guarded(arenad_verdict on_failure, Call&& call);
  // arenad.Refused is an answer, and no failure.
  template <class Call>
  arenad_verdict answered(Call&& call);
  // Tells Python of a frame, before the first callback of it.
  void begin_frame();

  const GameClass& game_;
  const arenad_host& host_;
  const arenad_frame& frame_;
  HostHandle handle_;
  uint64_t begun_ = UINT64_MAX;
  py::object arena_;
  // Looked up once: they are called for each event and each frame.
  py::object begin_frame_;
  py::object on_event_;
  py::object on_tick_;
  py::object idle_;
  std::string error_;
};

// Makes HostHandle known to Python.
void register_host_handle();

}  // namespace arenad::python
