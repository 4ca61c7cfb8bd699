#include "python/host/game_box.h"

#include <algorithm>
#include <cstring>

#include <kj/exception.h>

#include "python/host/interpreter.h"
#include "python/host/script_stack.h"
#include "python/typed/encode.h"
#include "python/typed/reader.h"
#include "python/typed/value.h"

namespace arenad::python {
namespace {

constexpr uint64_t kEveryone = UINT64_MAX;
constexpr double kSecondsPerNs = 1e-9;

py::object taken(PyObject* made) {
  if (made == nullptr) throw py::error_already_set();
  return py::reinterpret_steal<py::object>(made);
}

py::object py_text(std::string_view bytes) {
  return taken(PyUnicode_DecodeUTF8(bytes.data(), static_cast<Py_ssize_t>(bytes.size()), "replace"));
}

// The words of a message that the game has given.
std::span<const uint64_t> words_of(const py::object& message, const typed::StructType*& type) {
  PyObject* capsule = PyDict_GetItemString(Py_TYPE(message.ptr())->tp_dict, "__arenad_struct__");
  if (capsule != nullptr) {
    type = static_cast<const typed::StructType*>(PyCapsule_GetPointer(capsule, nullptr));
    const auto words = typed::encode(typed::as_value(message.ptr()));
    if (words.empty()) throw py::error_already_set();
    return words;
  }
  throw py::type_error(utf8_of(py::repr(message)) + " is not a struct of a schema, and cannot be sent");
}

}  // namespace

bool HostHandle::send(const py::object& message, uint64_t seats) {
  if (seats == 0) return true;
  const typed::StructType* type = nullptr;
  const auto words = words_of(message, type);
  void* space = host_.output_reserve(host_.self, words.size());
  if (space == nullptr) return false;
  std::memcpy(space, words.data(), words.size_bytes());
  host_.output_commit(host_.self, type->id, seats == kEveryone ? uint64_t{ARENAD_EVERYONE} : seats, words.size());
  return true;
}

bool HostHandle::result(uint32_t seat, const py::object& message) {
  const typed::StructType* type = nullptr;
  const auto words = words_of(message, type);
  return host_.result(host_.self, seat, type->id, words.data(), words.size()) == 0;
}

bool HostHandle::kick(uint32_t seat, const py::object& said) {
  if (host_.table_bytes <= offsetof(arenad_host, kick)) {
    throw py::value_error("this arena-worker is of a version that cannot kick");
  }
  const std::string reason = utf8_of(py::str(said));
  return host_.kick(host_.self, seat, reason.data(), reason.size()) == 0;
}

void HostHandle::garbage_put_off() {
  if (host_.table_bytes > offsetof(arenad_host, garbage_put_off)) host_.garbage_put_off(host_.self);
}

void HostHandle::log(int level, const py::object& said) {
  const std::string text = utf8_of(py::str(said));
  host_.log(host_.self, static_cast<arenad_log_level>(level), text.data(), text.size());
}

void register_host_handle() {
  static bool done = false;
  if (std::exchange(done, true)) return;
  auto module = py::module_::import("_arenad");
  py::class_<HostHandle>(module, "Host", "What carries the game: a worker.", py::module_local())
      .def("send", &HostHandle::send)
      .def("result", &HostHandle::result)
      .def("kick", &HostHandle::kick)
      .def("garbage_put_off", &HostHandle::garbage_put_off)
      .def("end", &HostHandle::end)
      .def("log", &HostHandle::log);
}

GameBox::GameBox(const GameClass& game, const arenad_host& host, const arenad_frame& frame)
    : game_(game), host_(host), frame_(frame), handle_(host, game) {
  guarded(ARENAD_FAILED, [&] {
    arena_ =
        py::module_::import("arenad.arena").attr("Arena")(py::cast(&handle_, py::return_value_policy::reference), game.type);
    begin_frame_ = arena_.attr("begin_frame");
    on_event_ = arena_.attr("on_event");
    on_tick_ = arena_.attr("on_tick");
    idle_ = arena_.attr("idle");
  });
}

template <class Call>
arenad_verdict GameBox::guarded(arenad_verdict on_failure, Call&& call) {
  try {
    call();
    return ARENAD_OK;
  } catch (const py::error_already_set& e) {
    error_ = text_of(e);
  } catch (const std::exception& e) {
    error_ = e.what();
  } catch (const kj::Exception& e) {
    error_ = e.getDescription().cStr();
  }
  return on_failure;
}

template <class Call>
arenad_verdict GameBox::answered(Call&& call) {
  bool refused = false;
  const arenad_verdict verdict = guarded(ARENAD_FAILED, [&] {
    try {
      begin_frame();
      call();
    } catch (const py::error_already_set& e) {
      if (!e.matches(game_.refused)) throw;
      refused = true;
      error_ = utf8_of(py::str(e.value()));
    }
  });
  return refused ? ARENAD_REFUSED : verdict;
}

void GameBox::begin_frame() {
  if (begun_ == frame_.number) return;
  begun_ = frame_.number;
  begin_frame_(frame_.number, frame_.time_unix_ns, frame_.seed, frame_.dt_ns);
}

arenad_verdict GameBox::init(std::span<const arenad_param> params, arenad_arena_options& options) {
  if (!arena_) return ARENAD_REFUSED;
  return guarded(ARENAD_REFUSED, [&] {
    begin_frame();
    py::dict given;
    for (const arenad_param& param : params) given[param.key] = param.value;
    const auto chosen = py::cast<std::pair<uint32_t, uint32_t>>(arena_.attr("init")(given));
    options = {chosen.first, chosen.second};
  });
}

arenad_verdict GameBox::restore(std::span<const uint64_t> words) {
  if (!arena_) return ARENAD_REFUSED;
  return guarded(ARENAD_REFUSED, [&] {
    begin_frame();
    arena_.attr("restore")(taken(typed::thawed(*game_.state, words)));
  });
}

arenad_verdict GameBox::migrate(const char* old_version, std::span<const uint64_t> words) {
  if (!arena_) return ARENAD_REFUSED;
  return guarded(ARENAD_REFUSED, [&] {
    begin_frame();
    arena_.attr("migrate")(taken(typed::new_reader(*game_.state, words)), taken(typed::thawed(*game_.state, words)),
                           old_version);
  });
}

arenad_verdict GameBox::join(uint32_t seat, std::string_view player) {
  return guarded(ARENAD_FAILED, [&] {
    begin_frame();
    arena_.attr("on_join")(seat, py_text(player));
  });
}

arenad_verdict GameBox::join_attempt(uint32_t seat, std::string_view player) {
  return answered([&] { arena_.attr("on_join_attempt")(seat, py_text(player)); });
}

arenad_verdict GameBox::leave(uint32_t seat, uint32_t reason) {
  return guarded(ARENAD_FAILED, [&] {
    begin_frame();
    arena_.attr("on_leave")(seat, reason);
  });
}

arenad_verdict GameBox::event(const arenad_event& event) {
  const auto type = game_.events.find(event.type);
  if (type == game_.events.end()) return ARENAD_UNKNOWN;
  PyObject* read = typed::new_reader(*type->second, {static_cast<const uint64_t*>(event.words), event.word_count});
  if (read == nullptr) {
    error_ = py::error_already_set().what();
    return ARENAD_MALFORMED;
  }
  const auto message = py::reinterpret_steal<py::object>(read);
  return guarded(game_.quarantines ? ARENAD_BLAMED : ARENAD_FAILED, [&] {
    begin_frame();
    on_event_(event.seat, message);
  });
}

arenad_verdict GameBox::signal(std::string_view name, std::string_view payload) {
  return answered([&] {
    const py::object reply = arena_.attr("signal")(py_text(name), py_text(payload));
    const std::string text = utf8_of(reply);
    host_.reply(host_.self, text.data(), std::min<size_t>(text.size(), ARENAD_MAX_REPLY_BYTES));
  });
}

arenad_verdict GameBox::tick() {
  return guarded(ARENAD_FAILED, [&] {
    begin_frame();
    on_tick_();
  });
}

arenad_verdict GameBox::drain(uint64_t deadline_unix_ns) {
  return guarded(ARENAD_FAILED, [&] {
    begin_frame();
    arena_.attr("on_drain")(deadline_unix_ns);
  });
}

size_t GameBox::checkpoint(std::span<uint64_t> words) {
  size_t used = 0;
  error_.clear();
  guarded(ARENAD_FAILED, [&] {
    const py::object state = arena_.attr("game").attr("state");
    if (!typed::is_value(state.ptr(), *game_.state)) throw py::type_error("self.state is not an object of the class State");
    used = typed::encode_into(typed::as_value(state.ptr()), words);
    if (used == 0 && PyErr_Occurred() != nullptr) throw py::error_already_set();
  });
  return used;
}

void GameBox::idle(uint64_t ns_left) {
  guarded(ARENAD_FAILED, [&] { idle_(static_cast<double>(ns_left) * kSecondsPerNs); });
}

void GameBox::diverged(uint64_t frame) {
  guarded(ARENAD_FAILED, [&] { arena_.attr("diverged")(frame); });
}

}  // namespace arenad::python
