// Where the game is in Python, told from a handler of a signal: nothing here takes a lock, allocates, or runs Python.
#pragma once

#include <cstddef>

namespace arenad::python {

// To be called in a worker before it plays.
void prepare_script_stack();

// A line a call, innermost first: "function (file:line)". If the interpreter is inside a function that is not written in Python, the first line says so, and
// whether it holds the interpreter's lock. Returns the characters written, at most `bytes`.
size_t script_stack(char* text, size_t bytes);

}  // namespace arenad::python
