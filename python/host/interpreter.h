// The Python of this process: one interpreter, started when the module is loaded, with nothing of the machine's own configuration in it. The game and Arenad's
// package lie in the module's own file, behind the code, as a zip archive (python/arenad/pack.py), so what was packed is what runs.
#pragma once

#include <pybind11/pybind11.h>
#include <string>

namespace arenad::python {

namespace py = pybind11;

// The file that this code was loaded from.
std::string own_file();

// Once. Throws std::runtime_error with what is wrong.
void start_interpreter(const std::string& file);

// To be called in a worker before anything else of Python's: it was forked, by somebody who knows nothing of Python.
void after_fork();

// A str as UTF-8; what is no valid Unicode in it (json.loads makes such) as question marks.
std::string utf8_of(const py::handle& text);

// What a Python exception says: a line with what and where, then the traceback, innermost call first.
std::string text_of(const py::error_already_set& error);

}  // namespace arenad::python
