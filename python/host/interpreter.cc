#include "python/host/interpreter.h"

#include <dlfcn.h>
#include <malloc.h>
#include <stdexcept>
#include <unistd.h>

#include "python/typed/module.h"

namespace arenad::python {
namespace {

pid_t started_in = 0;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables): there is one interpreter in a process

// Extension modules look for the interpreter's functions among those that all may see; the host itself was loaded for the worker alone.
void show_interpreter_to_extensions() {
  Dl_info library{};
  if (::dladdr(reinterpret_cast<void*>(&Py_InitializeFromConfig), &library) == 0) return;
  ::dlopen(library.dli_fname, RTLD_NOW | RTLD_GLOBAL | RTLD_NOLOAD);
}

// Memory that was given back would have to be touched anew in the next frame, page by page.
void keep_freed_memory() {
  constexpr int kKeptBytes = 8 << 20;
  ::mallopt(M_TRIM_THRESHOLD, kKeptBytes);
  ::mallopt(M_MMAP_THRESHOLD, kKeptBytes);
}

void require(PyStatus status, const char* what) {
  if (PyStatus_Exception(status) == 0) return;
  throw std::runtime_error(std::string("Python cannot be started: ") + what + ": " +
                           (status.err_msg != nullptr ? status.err_msg : "no reason given"));
}

// The worker's locale is C, in which Python would take all text for ASCII: what games print, files that they read.
void speak_utf8() {
  PyPreConfig config;
  PyPreConfig_InitIsolatedConfig(&config);
  config.utf8_mode = 1;
  require(Py_PreInitialize(&config), "its encoding");
}

// What a game has printed is in the log when it dies, as with C's streams: each line is written when it ends.
void write_line_by_line() {
  using namespace py::literals;
  for (const char* stream : {"stdout", "stderr"}) {
    const py::object file = py::module_::import("sys").attr(stream);
    if (!file.is_none()) file.attr("reconfigure")("line_buffering"_a = true);
  }
}

// As from Python 3.12 on (cpython, Objects/object.c, none_hash()). In 3.11 it is an address, which no two processes have alike, and with it goes the
// order of a set of tuples that have None in them. Before anything is put into a dictionary by it.
void fix_hash_of_none() {
  constexpr Py_hash_t kHashOfNone = 0xFCA86420;
  Py_TYPE(Py_None)->tp_hash = [](PyObject*) { return kHashOfNone; };
}

}  // namespace

std::string own_file() {
  Dl_info library{};
  if (::dladdr(reinterpret_cast<void*>(&own_file), &library) == 0 || library.dli_fname == nullptr) return {};
  return library.dli_fname;
}

void start_interpreter(const std::string& file) {
  show_interpreter_to_extensions();
  keep_freed_memory();
  PyImport_AppendInittab("_arenad", typed::init_module);
  fix_hash_of_none();
  speak_utf8();
  PyConfig config;
  PyConfig_InitIsolatedConfig(&config);
  config.site_import = 0;
  config.install_signal_handlers = 0;  // they are the worker's
  config.write_bytecode = 0;
  config.use_hash_seed = 1;  // the order of a set of texts is the same in each incarnation
  config.hash_seed = 0;
  try {
    require(PyConfig_SetBytesString(&config, &config.home, ARENAD_PYTHON_HOME), "where it lies");
    require(PyConfig_SetBytesString(&config, &config.program_name, "arena-worker"), "its name");
    require(PyConfig_SetBytesString(&config, &config.stdio_encoding, "utf-8"), "its encoding");
    require(PyConfig_SetBytesString(&config, &config.stdio_errors, "backslashreplace"), "its encoding");
    require(Py_InitializeFromConfig(&config), "its library");
  } catch (const std::runtime_error&) {
    PyConfig_Clear(&config);
    throw;
  }
  PyConfig_Clear(&config);
  started_in = ::getpid();
  write_line_by_line();
  py::module_::import("sys").attr("path").attr("insert")(0, file);
}

void after_fork() {
  if (started_in == ::getpid()) return;
  started_in = ::getpid();
  PyOS_AfterFork_Child();
}

std::string text_of(const py::error_already_set& error) {
  try {
    // What was caught knows its traceback beside the exception, not in it.
    if (error.trace()) PyException_SetTraceback(error.value().ptr(), error.trace().ptr());
    return utf8_of(py::module_::import("arenad.host").attr("text_of")(error.value()));
  } catch (const py::error_already_set&) {
    return std::string(Py_TYPE(error.value().ptr())->tp_name) + ", and its text cannot be told: that raises an exception too";
  }
}

std::string utf8_of(const py::handle& text) {
  PyObject* bytes = PyUnicode_AsEncodedString(text.ptr(), "utf-8", "replace");
  if (bytes == nullptr) throw py::error_already_set();
  return std::string(py::reinterpret_steal<py::bytes>(bytes));
}

}  // namespace arenad::python
