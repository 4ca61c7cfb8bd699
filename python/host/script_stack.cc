#include "python/host/script_stack.h"

// The interpreter's frames are no part of its public interface; the layout is that of the Python that this is built with (3.11, Include/internal/pycore_frame.h).
#define Py_BUILD_CORE 1
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <internal/pycore_frame.h>
#include <opcode.h>
#include <string_view>

namespace arenad::python {
namespace {

constexpr int kMaxDepth = 64;

// A handler cannot be given anything.
PyThreadState* main_thread = nullptr;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

class Text {
 public:
  Text(char* text, size_t bytes) : text_(text), room_(bytes) {}
  void add(std::string_view part) {
    const size_t taken = std::min(part.size(), room_ - used_);
    std::memcpy(text_ + used_, part.data(), taken);
    used_ += taken;
  }
  void add(int number) {
    std::array<char, 16> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    add(std::string_view(digits.data(), static_cast<size_t>(end - digits.data())));
  }
  [[nodiscard]] size_t used() const { return used_; }

 private:
  char* text_;
  size_t room_;
  size_t used_ = 0;
};

// Names and paths of a game are nearly always ASCII, which lies there as it is.
std::string_view ascii(PyObject* text) {
  if (text == nullptr || !PyUnicode_Check(text) || !PyUnicode_IS_READY(text) || !PyUnicode_IS_COMPACT_ASCII(text)) return "?";
  return {static_cast<const char*>(PyUnicode_DATA(text)), static_cast<size_t>(PyUnicode_GET_LENGTH(text))};
}

// Within the game: what stands behind the module's file.
std::string_view within_module(std::string_view file) {
  const size_t packed = file.find(".so/");
  return packed == std::string_view::npos ? file : file.substr(packed + 4);
}

// In Python 3.11 a call of a function that is written in Python has a frame of its own, so the innermost frame is at a call only while something else is called. What
// an operator, a comparison, a subscript, a loop or an unpacking asks an object of another language for is such a call too. Attributes are not counted: those of typed
// objects are read that way all the time, and take no time.
bool is_call(const _PyInterpreterFrame& frame) {
  switch (_Py_OPCODE(*frame.prev_instr)) {
    case CALL:
    case PRECALL:
    case CALL_ADAPTIVE:
    case CALL_FUNCTION_EX:
    case BINARY_OP:
    case BINARY_OP_ADAPTIVE:
    case BINARY_SUBSCR:
    case BINARY_SUBSCR_ADAPTIVE:
    case BUILD_STRING:
    case COMPARE_OP:
    case COMPARE_OP_ADAPTIVE:
    case CONTAINS_OP:
    case DELETE_SUBSCR:
    case DICT_MERGE:
    case DICT_UPDATE:
    case FOR_ITER:
    case FORMAT_VALUE:
    case GET_ITER:
    case IMPORT_NAME:
    case LIST_EXTEND:
    case SET_UPDATE:
    case STORE_SUBSCR:
    case STORE_SUBSCR_ADAPTIVE:
    case UNARY_INVERT:
    case UNARY_NEGATIVE:
    case UNPACK_EX:
    case UNPACK_SEQUENCE:
    case UNPACK_SEQUENCE_ADAPTIVE:
    case PRECALL_ADAPTIVE:
    case PRECALL_BUILTIN_CLASS:
    case PRECALL_BUILTIN_FAST_WITH_KEYWORDS:
    case PRECALL_METHOD_DESCRIPTOR_FAST_WITH_KEYWORDS:
    case PRECALL_NO_KW_BUILTIN_FAST:
    case PRECALL_NO_KW_BUILTIN_O:
    case PRECALL_NO_KW_LEN:
    case PRECALL_NO_KW_METHOD_DESCRIPTOR_FAST:
    case PRECALL_NO_KW_METHOD_DESCRIPTOR_NOARGS:
    case PRECALL_NO_KW_METHOD_DESCRIPTOR_O:
    case PRECALL_NO_KW_STR_1:
    case PRECALL_NO_KW_TUPLE_1:
    case PRECALL_NO_KW_TYPE_1:
      return true;
    default:
      return false;
  }
}

void add_call(Text& text, const _PyInterpreterFrame& frame) {
  const std::string_view file = within_module(ascii(frame.f_code->co_filename));
  if (file.starts_with("arenad/")) return;  // between the host and the game
  const auto at = static_cast<int>(_PyInterpreterFrame_LASTI(const_cast<_PyInterpreterFrame*>(&frame)) *
                                   static_cast<int>(sizeof(_Py_CODEUNIT)));
  text.add(ascii(frame.f_code->co_qualname));
  text.add(" (");
  text.add(file);
  text.add(":");
  text.add(PyCode_Addr2Line(frame.f_code, at));
  text.add(")\n");
}

}  // namespace

void prepare_script_stack() {
  main_thread = PyThreadState_Get();
}

size_t script_stack(char* text, size_t bytes) {
  if (main_thread == nullptr || main_thread->cframe == nullptr) return 0;
  Text written(text, bytes);
  const _PyInterpreterFrame* frame = main_thread->cframe->current_frame;
  if (frame == nullptr) return 0;
  // No thread at all has the lock: the call has given it away.
  if (_PyThreadState_UncheckedGet() == nullptr) {
    written.add("native code, without the interpreter's lock\n");
  } else if (is_call(*frame)) {
    written.add("native code, holds the interpreter's lock\n");
  }
  for (int depth = 0; frame != nullptr && depth < kMaxDepth; ++depth, frame = frame->previous) add_call(written, *frame);
  return written.used();
}

}  // namespace arenad::python
